// Sizes measures the project against its targets (functions, files, packages,
// interfaces, structs, documentation, tests) and fails on what is over a cap.
//
// Exempt are generated files, functions and variables that are one table
// literal, and places with a comment "//sizes:ok reason" on or above the line.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	verbose := flag.Bool("v", false, "print the figures of every package")
	flag.Parse()
	root := "."
	if flag.NArg() > 0 {
		root = flag.Arg(0)
	}
	p, err := measure(os.DirFS(root))
	if err != nil {
		fmt.Fprintln(os.Stderr, "sizes:", err)
		os.Exit(2)
	}
	report(os.Stdout, p, *verbose)
	if over := p.over(); len(over) > 0 {
		fmt.Println()
		for _, o := range over {
			fmt.Println(o)
		}
		os.Exit(1)
	}
}
