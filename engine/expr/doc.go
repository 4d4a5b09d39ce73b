// Package expr evaluates the ${{ }} expressions of workflows.
package expr
