// Package pipedream translates workflows of Pipedream, as its GitHub Sync writes them
// (workflow.yaml of schema workflow/2022.04), into workflows of zflow.
//
// Obligations:
//
//  1. What is translated does what it did there. What is not is a step that fails the
//     run with the reason, and a note with the place and what to do: nothing is left
//     out in silence, nothing is guessed.
//  2. The YAML that comes out can be loaded.
//  3. Nothing outside of the workflow's folder is read, and nothing is run or called.
package pipedream
