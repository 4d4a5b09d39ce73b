// Package expr evaluates the ${{ }} expressions of workflows.
//
// Obligations:
//
//  1. The same program over the same Env and Clock gives the same value,
//     anywhere and always: no function reads a clock, the environment, the
//     machine's zone or the order of a map.
//  2. Every result is a JSON value: nil, bool, int64, float64, string, []any,
//     map[string]any. A float64 without fraction that fits is an int64, so that
//     a value does not change its type by being recorded and read again.
//  3. Evaluation is bounded in steps, values and text, whatever the expression.
//  4. Programs and templates are not changed once made; any number of
//     goroutines may evaluate one.
//  5. What an evaluation returns may share parts with the Env or the template:
//     nobody changes it.
//  6. No message holds a value longer than a few words.
package expr
