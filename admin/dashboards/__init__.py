"""What each role has to look at and to do: figures, charts and queues, each where its rows are."""
