// Package proto is the wire contract: what stands on JetStream and under which
// names. Everything that another program may rely on is here or in the .proto
// files: streams, buckets, subjects, headers, and how ids are made.
//
// Obligations:
//
//  1. A token of a subject is [A-Za-z0-9_-]+; any other text is encoded by Token
//     and comes back by Text. "_" alone means "none".
//  2. Ids are derived, never drawn: the same event gets the same id wherever it
//     comes in, and the same (workflow, event) the same run.
//  3. Header names are lower case and never canonicalised.
package proto

//go:generate go run ../internal/tools/protogen .
