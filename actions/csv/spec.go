package csv

import "zflow/actions"

var (
	delimiter = actions.Schema{Type: "string", Doc: `What parts fields: one character, such as ; or "\t".`, Default: ","}
	columns   = &actions.Schema{Type: "string", Doc: "A name."}
	known     = []actions.Known{
		{If: "error.code == 'no_table'", Doc: "It is no CSV, or a row does not fit; the message has the line."},
		{If: "error.code == 'too_large'", Doc: "There is more than an output, or a file, may have."},
	}
)

func parseSpec() actions.Spec {
	return actions.Spec{
		Name: "csv.parse", Summary: "Reads rows of a table in CSV, from a file of any size or a text.", Effect: actions.Read, Sealed: true,
		Input: actions.Schema{Type: "object", Fields: map[string]actions.Schema{
			"file": actions.FileSchema("A file that another step gave."), "text": {Type: "string", Doc: "The table as text, up to 4 MiB."},
			"header": {Type: "boolean", Doc: "Whether the first line names the columns; else rows are lists.", Default: true}, "delimiter": delimiter,
			"columns": {Type: "array", Doc: "Columns to keep; all where there are none.", Items: columns},
			"skip":    {Type: "integer", Doc: "How many rows to leave out first.", Default: int64(0)},
			"limit":   {Type: "integer", Doc: "How many rows to give at most.", Default: int64(maxRows)},
		}},
		Output: actions.Schema{Type: "object", Required: []string{"rows", "columns", "more", "next"}, Fields: map[string]actions.Schema{
			"rows":    {Type: "array", Doc: "The rows, together up to 2 MiB; all values are text.", Items: &actions.Schema{Doc: "An object by column, or a list where header is false."}},
			"columns": {Type: "array", Doc: "The columns of the table.", Items: columns},
			"more":    {Type: "boolean", Doc: "Whether there are more rows."},
			"next":    {Type: "integer", Doc: "What to give as skip for those."},
		}},
		Errors: append([]actions.Known{{If: "error.code == 'no_column'", Doc: "The table has no such column."}}, known...),
		Examples: []actions.Example{{
			Title: "A table in a text", Input: map[string]any{"text": "name;minutes\nAnna;41\n", "delimiter": ";"},
			Output: map[string]any{"rows": []any{map[string]any{"name": "Anna", "minutes": "41"}}, "columns": []any{"name", "minutes"}, "more": false, "next": int64(1)},
		}},
	}
}

func formatSpec() actions.Spec {
	return actions.Spec{
		Name: "csv.format", Summary: "Writes a list as a file in CSV (RFC 4180).", Effect: actions.Idempotent, Sealed: true,
		Input: actions.Schema{Type: "object", Required: []string{"rows"}, Fields: map[string]actions.Schema{
			"rows":      {Type: "array", Doc: "Objects, or lists.", Items: &actions.Schema{Doc: "A row."}},
			"columns":   {Type: "array", Doc: "The columns in their order; else all fields in the order of their names.", Items: columns},
			"name":      {Type: "string", Doc: "The file's name.", Default: "table.csv"},
			"header":    {Type: "boolean", Doc: "Whether the first line names the columns.", Default: true},
			"delimiter": delimiter,
			"guard":     {Type: "boolean", Doc: "Whether a text that a spreadsheet would take for a formula gets a ' before it: for files that people open and in which others wrote.", Default: false},
		}},
		Output: actions.Schema{Type: "object", Required: []string{"file", "rows"}, Fields: map[string]actions.Schema{
			"file": actions.FileSchema("The file."), "rows": {Type: "integer", Doc: "How many rows it has, without the header."},
		}},
		Errors: known,
		Examples: []actions.Example{{
			Title: "Who came", Input: map[string]any{
				"rows": []any{map[string]any{"name": "Anna", "minutes": int64(41)}}, "columns": []any{"name", "minutes"}, "name": "attendance.csv", "guard": true,
			},
		}},
	}
}
