package durable

// Refusal lets a test probe one stream at once.
var Refusal = (*Flusher).refusal
