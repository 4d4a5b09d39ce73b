package http

import "zflow/actions"

func spec() actions.Spec {
	return actions.Spec{
		Name:    "http.request",
		Summary: "Sends one HTTP request and returns the answer.",
		Effect:  actions.Write, Connects: "http",
		Input:  inputSchema(),
		Output: outputSchema(),
		Secret: []string{"headers.set-cookie"},
		Errors: []actions.Known{
			{If: "error.status in [408, 425, 429] or error.status >= 500", Doc: "The server is busy or broken; a Retry-After header is kept to.", Again: true},
			{If: "error.status == 0", Doc: "There was no connection, or no answer in time to a request that may be repeated.", Again: true},
			{If: "error.status >= 400 and error.status < 500", Doc: "The server refuses the request; error.code is the code in a JSON answer."},
		},
		Examples: examples(),
	}
}

func inputSchema() actions.Schema {
	return actions.Schema{
		Type:     "object",
		Required: []string{"url"},
		Fields: map[string]actions.Schema{
			"method":      {Type: "string", Doc: "The method, in any case.", Default: "GET"},
			"url":         {Type: "string", Doc: "The address, beginning with https:// or http://.", Format: "url"},
			"query":       {Type: "object", Doc: "Query parameters, added to those of the address; a list repeats one, null leaves it out.", Open: true},
			"headers":     {Type: "object", Doc: "Headers to send; a list repeats one, null leaves it out.", Open: true},
			"json":        {Doc: "A body to send as JSON: any value."},
			"form":        {Type: "object", Doc: "A body to send as an HTML form.", Open: true},
			"text":        {Type: "string", Doc: "A body to send as it is; text/plain unless a header content-type says otherwise."},
			"file":        actions.FileSchema("A file to send as the body; its content type unless a header content-type says otherwise."),
			"multipart":   {Type: "object", Doc: "A body to send as multipart/form-data: texts, numbers, references to files, and lists of them.", Open: true},
			"save_as":     {Type: "string", Doc: "Save the answer's body as a file of this name, however large, instead of reading it."},
			"sha256":      {Type: "string", Doc: "What the SHA-256 of the saved file must be, in hex."},
			"certificate": {Type: "string", Doc: "The client certificate to present: a name of http.certificates in the configuration."},
			"follow_with_get": {Type: "boolean", Default: false,
				Doc: "Where a POST is answered by a redirect (301, 302, 303), ask for the address that it names with GET, as browsers do, instead of failing."},
			"timeout": {Type: "string", Doc: "How long to wait for the whole answer, such as 10s.", Format: "duration"},
			"auth":    authSchema(),
		},
	}
}

func authSchema() actions.Schema {
	return actions.Schema{
		Type: "object",
		Doc:  "How to sign in: one of these. A connection of kind http does it too.",
		Fields: map[string]actions.Schema{
			"bearer": {Type: "string", Doc: "A token, sent as Authorization: Bearer."},
			"basic": {
				Type: "object", Doc: "A user name and a password.", Required: []string{"username", "password"},
				Fields: map[string]actions.Schema{
					"username": {Type: "string", Doc: "The user name."},
					"password": {Type: "string", Doc: "The password."},
				},
			},
			"api_key": {
				Type: "object", Doc: "A key in a header or in the query.", Required: []string{"name", "value"},
				Fields: map[string]actions.Schema{
					"name":  {Type: "string", Doc: "The header's or parameter's name."},
					"value": {Type: "string", Doc: "The key."},
					"in":    {Type: "string", Doc: "Where it is sent.", Enum: []string{"header", "query"}, Default: "header"},
				},
			},
			"oauth2": {
				Type: "object", Doc: "A token by OAuth2's client credentials, kept until it expires.", Required: []string{"token_url", "client_id", "client_secret"},
				Fields: map[string]actions.Schema{
					"token_url":     {Type: "string", Doc: "Where tokens are given out.", Format: "url"},
					"client_id":     {Type: "string", Doc: "The client's id."},
					"client_secret": {Type: "string", Doc: "The client's secret."},
					"scope":         {Type: "string", Doc: "Scopes to ask for, separated by spaces."},
					"audience":      {Type: "string", Doc: "For whom the token is, where the server wants that."},
					"send":          {Type: "string", Doc: "How id and secret are sent: as basic authentication, or in the body.", Enum: []string{"basic", "body"}, Default: "basic"},
				},
			},
		},
	}
}

func outputSchema() actions.Schema {
	return actions.Schema{
		Type:     "object",
		Required: []string{"status", "headers"},
		Fields: map[string]actions.Schema{
			"status":  {Type: "integer", Doc: "The HTTP status: 200 to 299, or 304."},
			"headers": {Type: "object", Doc: "The answer's headers; names in lower case, repeated ones joined by a comma.", Open: true},
			"json":    {Doc: "The body, where its content type is JSON; integers beyond 64 bits are text."},
			"text":    {Type: "string", Doc: "The body, where it is not JSON; absent if empty."},
			"file":    actions.FileSchema("The file that was saved, with save_as."),
		},
	}
}

func examples() []actions.Example {
	return []actions.Example{
		{
			Title: "Read JSON",
			Input: map[string]any{
				"url":   "https://api.example.org/classes",
				"query": map[string]any{"day": "monday", "limit": int64(10)},
				"auth":  map[string]any{"bearer": "${{ secrets.api_token }}"},
			},
		},
		{
			Title: "Send JSON, safe to repeat where the API knows idempotency keys",
			Input: map[string]any{
				"method":  "POST",
				"url":     "https://api.example.org/grades",
				"headers": map[string]any{"idempotency-key": "${{ step.key }}"},
				"json":    map[string]any{"student": "ann", "grade": int64(1)},
				"timeout": "10s",
			},
		},
		{
			Title: "Send a form",
			Input: map[string]any{
				"method": "post",
				"url":    "https://www.example.org/contact",
				"form":   map[string]any{"name": "Ann", "text": "hello"},
			},
		},
	}
}
