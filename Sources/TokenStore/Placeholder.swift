// Placeholder until the target's own files land.
