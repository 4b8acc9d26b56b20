"""What happens between a store and the people who annotate: queue, suggestions, changes of the schema, training data."""
