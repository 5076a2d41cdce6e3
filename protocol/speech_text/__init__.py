"""Turn what a model writes into what a voice can say, while it is being written.

How it works. Model text runs through three stages, each a small streaming machine that hands on what is
certain and holds the few characters that are not:

1. `markup` takes marks off: markdown, HTML, LaTeX, `<think>`, faces. Then `characters.FOLD` folds every
   Unicode character, one by one, into a small alphabet; what has no spoken value (emoji, zero-width, box
   drawing) is gone after it.
2. `reader` says numbers, units, money, dates, addresses and signs in words, Chinese or English by the text
   around (`page`). What a digit can begin is a table in `quantities`, what a sign means a table in
   `symbols`, what a unit is called a table in `units`; the words themselves come from `chinese` and
   `english`.
3. `polish` mends the holes: one space, one stop, no empty brackets.

`stream` joins them and lets plain prose by on a short path. No stage ever looks at where the text was cut:
a decision is taken when the *region* that it depends on is closed (see `markup`, `reader`), so any cut into
tokens gives the same result.

How long is text held? Chinese and its punctuation: not at all. An English word: until the character after
it. A number: until the character after it, or the word after it when a space follows (it may be a unit).
Emphasis, `!`, a dot: one character. A mark that is opened and never closed is plain text after: a link's
address 512 characters, a link's reference 48, a tag 300, a comment 2000, `$…$` and `\\(…\\)` 200,
`$$…$$` and `\\[…\\]` 1000, or at the line's end where it cannot go on. Fenced code and thoughts without
an end are left out to the end. A number near the start may wait 32 characters to learn the language.

Decisions. Tables are read cell by cell (their content is the answer); code blocks are not (代码略). A bare
address is read as its host. `3*4` is 三乘以四; `user_name`, C++, C#, .NET, AT&T, MP3, GPT-4o stay as
written. `-5℃` is 零下五摄氏度. Operators and arrows are read between terms and dropped elsewhere.
"""

from protocol.speech_text.stream import SpeechText, speakable

__all__ = ["SpeechText", "speakable"]
