// Package settings reads the configuration that all processes share: one YAML
// file, environment variables over it, and files that hold secrets.
//
// Obligations:
//
//  1. What is not known is an error: a mistyped key never passes for a default.
//  2. All that is wrong is reported at once, each with its file:line:column or
//     its environment variable.
//  3. A secret is not printed, whatever way the configuration is printed, and a
//     file with one is refused when everybody can read it.
//  4. The environment is handed in; nothing here reads it.
package settings
