// Package definition reads workflow files: YAML to *engine.Workflow, strictly.
//
// Obligations:
//
//  1. Everything that is wrong with a file is reported at once, each with file,
//     line, column, reason and, where there is one, a hint. No input makes it
//     panic or take long.
//  2. A workflow that is returned without errors can run: its expressions are
//     compiled, its references exist, its literals fit the actions' schemas.
//  3. One table of keys says what the language has; the parser and the JSON
//     Schema for editors are both made from it.
//  4. The same bytes give the same version, and bytes that differ another one.
package definition
