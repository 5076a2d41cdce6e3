"""What clients of OpenAI's API send and expect, one topic for each module. Nothing here sends or waits."""
