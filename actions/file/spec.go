package file

import "zflow/actions"

var (
	folder    = actions.Schema{Type: "string", Doc: "Which of worker.folders; the only one need not be named."}
	filePath  = actions.Schema{Type: "string", Doc: "The file's path in the folder, with / between its parts."}
	overwrite = actions.Schema{Type: "boolean", Doc: "Whether a file that is there is replaced.", Default: false}
	size      = actions.Schema{Type: "integer", Doc: "How many bytes it has."}
	changed   = actions.Schema{Type: "string", Doc: "When it was last changed.", Format: "date-time"}
)

var known = []actions.Known{
	{If: "error.code == 'not_found'", Doc: "There is no such file.", Again: true},
	{If: "error.code == 'no_folder'", Doc: "The folder is not in worker.folders, or cannot be opened on this worker's machine."},
	{If: "error.code == 'bad_path'", Doc: "The path leads out of the folder, is absolute, or has a control character."},
	{If: "error.code == 'denied'", Doc: "The worker's user has no right to."},
}

var knownWriting = append([]actions.Known{
	{If: "error.code == 'exists'", Doc: "Another file has that name, and overwrite is not true."},
	{If: "error.code == 'disk'", Doc: "The disk is full or broken.", Again: true},
}, known...)

func object(required []string, fields map[string]actions.Schema) actions.Schema {
	return actions.Schema{Type: "object", Required: required, Fields: fields}
}

func readSpec() actions.Spec {
	return actions.Spec{
		Name: "file.read", Summary: "Reads a file of a configured folder.", Effect: actions.Read,
		Input: object([]string{"path"}, map[string]actions.Schema{
			"path": filePath, "folder": folder,
			"as": {Type: "string", Doc: "text (UTF-8), json, base64, up to 4 MiB each, or file: a reference, of any size.", Enum: []string{"text", "json", "base64", "file"}, Default: "text"},
		}),
		Output: object([]string{"path", "size", "modified_at"}, map[string]actions.Schema{
			"path": filePath, "size": size, "modified_at": changed,
			"text": {Type: "string", Doc: "The content, as: text."}, "json": {Doc: "The content, as: json."},
			"base64": {Type: "string", Doc: "The content, as: base64."}, "file": actions.FileSchema("The content, as: file."),
		}),
		Errors: append([]actions.Known{{If: "error.code == 'too_large'", Doc: "The file is too large for a value, or for a reference."}, {If: "error.code == 'wrong_type'", Doc: "The file is no UTF-8, or no JSON."}}, known...),
		Examples: []actions.Example{
			{Title: "Read a list", Input: map[string]any{"path": "rooms.json", "as": "json"}},
			{Title: "Read a file to send it on", Input: map[string]any{"folder": "reports", "path": "2026/march.pdf", "as": "file"}},
		},
	}
}

func writeSpec() actions.Spec {
	return actions.Spec{
		Name: "file.write", Summary: "Writes a file of a configured folder, whole or not at all.", Effect: actions.Idempotent,
		Input: object([]string{"path"}, map[string]actions.Schema{
			"path": filePath, "folder": folder, "overwrite": overwrite,
			"append": {Type: "boolean", Doc: "Whether to add to the end of the file; such a step asks where its outcome is unknown.", Default: false},
			"text":   {Type: "string", Doc: "The content, as text."}, "json": {Doc: "The content: any value, as JSON."},
			"base64": {Type: "string", Doc: "The content, in base64."}, "file": actions.FileSchema("The content: a file that another step gave."),
		}),
		Output: object([]string{"path", "size", "sha256"}, map[string]actions.Schema{
			"path": filePath, "size": {Type: "integer", Doc: "How many bytes were written."}, "sha256": {Type: "string", Doc: "The SHA-256 of what was written, in hex."},
		}),
		Errors: knownWriting,
		Examples: []actions.Example{
			{Title: "Write a report", Input: map[string]any{"path": "2026/report.csv", "text": "name,minutes\nAnn,45\n"},
				Output: map[string]any{"path": "2026/report.csv", "size": int64(20), "sha256": "c23d2f3954cd44255f27706d1e11aed1ce04cf23ed2292728587433109ed44a1"}},
			{Title: "Add a line", Input: map[string]any{"path": "log.txt", "text": "class is over\n", "append": true}},
		},
	}
}

func listSpec() actions.Spec {
	return actions.Spec{
		Name: "file.list", Summary: "Lists the files of a configured folder, in the order of their names.", Effect: actions.Read,
		Input: object(nil, map[string]actions.Schema{
			"folder": folder, "path": {Type: "string", Doc: "A folder in it; without it the folder itself."},
			"pattern":   {Type: "string", Doc: "Only names that fit, such as *.csv."},
			"recursive": {Type: "boolean", Doc: "Whether to look into folders too.", Default: false},
		}),
		Output: object([]string{"items"}, map[string]actions.Schema{
			"items": {Type: "array", Doc: "What there is, 10,000 at most.", Items: &actions.Schema{Type: "object", Required: []string{"path", "folder", "modified_at"}, Fields: map[string]actions.Schema{
				"path": filePath, "folder": {Type: "boolean", Doc: "Whether it is a folder."}, "size": size, "modified_at": changed,
			}}},
		}),
		Errors:   known,
		Examples: []actions.Example{{Title: "All tables", Input: map[string]any{"pattern": "*.csv", "recursive": true}}},
	}
}

func deleteSpec() actions.Spec {
	return actions.Spec{
		Name: "file.delete", Summary: "Deletes a file of a configured folder.", Effect: actions.Idempotent,
		Input: object([]string{"path"}, map[string]actions.Schema{"path": filePath, "folder": folder}),
		Output: object([]string{"deleted"}, map[string]actions.Schema{
			"deleted": {Type: "boolean", Doc: "Whether it was there."},
		}),
		Errors:   known,
		Examples: []actions.Example{{Title: "Delete a report", Input: map[string]any{"path": "2026/old.csv"}, Output: map[string]any{"deleted": false}}},
	}
}

func moveSpec() actions.Spec {
	return actions.Spec{
		Name: "file.move", Summary: "Moves a file within a configured folder.", Effect: actions.Idempotent,
		Input: object([]string{"path", "to"}, map[string]actions.Schema{
			"path": filePath, "to": {Type: "string", Doc: "Its new path."}, "folder": folder, "overwrite": overwrite,
		}),
		Output:   object([]string{"path"}, map[string]actions.Schema{"path": {Type: "string", Doc: "Its new path."}}),
		Errors:   knownWriting,
		Examples: []actions.Example{{Title: "Put it aside", Input: map[string]any{"path": "inbox/a.csv", "to": "done/a.csv"}}},
	}
}
