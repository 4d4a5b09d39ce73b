package exec

import (
	"strconv"

	"zflow/actions"
)

func formatInt(n int64) string { return strconv.FormatInt(n, 10) }

func spec() actions.Spec {
	return actions.Spec{
		Name:    "exec.run",
		Summary: "Runs a program that the configuration allows by name (worker.exec), without a shell, in an empty folder of its own.",
		Effect:  actions.Write,
		Sealed:  true,
		Input: actions.Schema{Type: "object", Required: []string{"program"}, Fields: map[string]actions.Schema{
			"program":  {Type: "string", Doc: "Its name in worker.exec."},
			"args":     {Type: "array", Doc: "Arguments after those of the configuration, each as it is.", Items: &actions.Schema{Doc: "A text or a whole number."}},
			"stdin":    {Type: "string", Doc: "What it reads as its input."},
			"files":    {Type: "object", Doc: "Files to put into its folder, by name: text, or a file that another step gave.", Open: true},
			"outputs":  {Type: "array", Doc: "Names of files, or patterns such as *.pdf, to take from its folder once it has ended.", Items: &actions.Schema{Type: "string", Doc: "A name or a pattern."}},
			"ok_codes": {Type: "array", Doc: "Exit codes that are a success beside 0.", Items: &actions.Schema{Type: "integer", Doc: "An exit code."}},
			"timeout":  {Type: "string", Doc: "How long it may take, such as 30s; at most what the configuration allows.", Format: "duration"},
		}},
		Output: actions.Schema{Type: "object", Required: []string{"code", "stdout", "stderr", "files"}, Fields: map[string]actions.Schema{
			"code":   {Type: "integer", Doc: "Its exit code."},
			"stdout": {Type: "string", Doc: "What it wrote, up to 1 MiB; more is an error. Credentials that it was given are masked."},
			"stderr": {Type: "string", Doc: "What it wrote there, the first 256 KiB."},
			"files":  {Type: "object", Doc: "The files that were taken, by name; each as http.request and file.write take it.", Open: true},
		}},
		Errors: []actions.Known{
			{If: "error.code == 75", Doc: "The program says that it may work later (EX_TEMPFAIL).", Again: true},
			{If: "error.code > 0 and error.code < 256", Doc: "The program ended with this code; the message has the last line of its stderr."},
			{If: "error.code == 'killed'", Doc: "It took too long, wrote too much, had too many processes or too little memory. What it did is unknown, unless worker.exec says effect: read or idempotent.", Again: true},
			{If: "error.code == 'no_program'", Doc: "worker.exec has no such program, or it is not on the worker's machine."},
			{If: "error.code == 'no_output'", Doc: "It left no file of that name."},
		},
		Examples: []actions.Example{
			{Title: "A text through a program", Input: map[string]any{"program": "python3", "args": []any{"-c", "import sys; print(sys.stdin.read().upper())"}, "stdin": "hello"}},
			{Title: "A file in, a file out", Input: map[string]any{"program": "pandoc", "args": []any{"report.md", "-o", "report.docx"},
				"files": map[string]any{"report.md": "# ${{ event.payload.object.topic }}"}, "outputs": []any{"report.docx"}, "timeout": "50s"}},
		},
	}
}
