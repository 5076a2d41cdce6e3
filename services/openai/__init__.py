"""What the routes of OpenAI's API do: one use case for each, over the same ports as a spoken turn."""
