package zoom

import "zflow/actions"

// reading has the operations that only read people, webinars, and what is past:
// what polls are made of.
func reading() []operation {
	return []operation{
		listUsers(), getUser(), listWebinars(), getWebinar(), listRecordings(), listAccountRecordings(),
		getPastMeeting(), listInstances(),
	}
}

func listUsers() operation {
	return operation{
		name:  "list_users",
		query: []string{"status", "role_id"},
		input: map[string]actions.Schema{
			"status":  {Type: "string", Doc: "Which users.", Default: "active", Enum: []string{"active", "inactive", "pending"}},
			"role_id": {Type: "string", Doc: "Only those with this role."},
			"limit":   limitInput(),
		},
		output: listOutput("users", "The account's users.", userFields()),
		effect: actions.Read,
		errors: known(),
		known:  pageFields("users"),
		list:   "users",
		examples: []actions.Example{{
			Title: "Who is in the account",
			Input: map[string]any{"status": "active", "limit": int64(1000)},
		}},
	}
}

func getUser() operation {
	return operation{
		name:   "get_user",
		params: []string{"user_id"},
		input:  map[string]actions.Schema{"user_id": userInput()},
		output: actions.Schema{Type: "object", Open: true, Fields: with(userFields(),
			"account_id", actions.Schema{Type: "string", Doc: "The account."},
			"host_key", actions.Schema{Type: "string", Doc: "The key to claim host with; sealed."})},
		effect:   actions.Read,
		errors:   known(noUser()),
		secret:   []string{"host_key"},
		known:    []string{"id", "email"},
		examples: []actions.Example{{Title: "Read a user", Input: map[string]any{"user_id": "noor.haddad@harbor.example"}}},
	}
}

func userFields() map[string]actions.Schema {
	return map[string]actions.Schema{
		"id":              {Type: "string", Doc: "The user's id; absent while pending."},
		"email":           {Type: "string", Doc: "The address."},
		"first_name":      {Type: "string", Doc: "The first name."},
		"last_name":       {Type: "string", Doc: "The last name."},
		"display_name":    {Type: "string", Doc: "The name shown."},
		"type":            {Type: "integer", Doc: "The licence: 1 basic, 2 licensed, 99 none."},
		"status":          {Type: "string", Doc: "active, inactive or pending."},
		"dept":            {Type: "string", Doc: "The department."},
		"role_id":         {Type: "string", Doc: "The role."},
		"timezone":        {Type: "string", Doc: "The zone, such as Europe/Berlin."},
		"last_login_time": {Type: "string", Doc: "When the user last signed in; absent if never.", Format: "date-time"},
		"created_at":      {Type: "string", Doc: "When the user was made.", Format: "date-time"},
	}
}

func listWebinars() operation {
	return operation{
		name:   "list_webinars",
		params: []string{"user_id"},
		query:  []string{"type"},
		input: map[string]actions.Schema{
			"user_id": userInput(),
			"type":    {Type: "string", Doc: "Which webinars.", Default: "scheduled", Enum: []string{"scheduled", "upcoming"}},
			"limit":   limitInput(),
		},
		output: listOutput("webinars", "The webinars, without their settings.", webinarFields()),
		effect: actions.Read,
		errors: known(noUser()),
		known:  pageFields("webinars"),
		list:   "webinars",
		examples: []actions.Example{{
			Title: "Which webinars are coming up",
			Input: map[string]any{"user_id": "noor.haddad@harbor.example", "type": "upcoming"},
		}},
	}
}

func getWebinar() operation {
	return operation{
		name:   "get_webinar",
		params: []string{"webinar_id"},
		query:  []string{"occurrence_id", "show_previous_occurrences"},
		input: map[string]actions.Schema{
			"webinar_id":                {Doc: "The webinar's number, as a number or text."},
			"occurrence_id":             {Type: "string", Doc: "One occurrence of a recurring webinar."},
			"show_previous_occurrences": {Type: "boolean", Doc: "List past occurrences of a recurring webinar too."},
		},
		required: []string{"webinar_id"},
		output: actions.Schema{Type: "object", Open: true, Fields: with(webinarFields(),
			"host_email", actions.Schema{Type: "string", Doc: "The host's address."},
			"start_url", actions.Schema{Type: "string", Doc: "Where the host starts it; carries a credential, so it is sealed."},
			"registration_url", actions.Schema{Type: "string", Doc: "Where people register, if they must."},
			"occurrences", actions.Schema{Type: "array", Doc: "The occurrences of a recurring webinar."},
			"settings", actions.Schema{Type: "object", Doc: "Its settings.", Open: true})},
		effect:   actions.Read,
		errors:   known(actions.Known{If: "error.code == 3001", Doc: "There is no such webinar: it was deleted, or has ended."}),
		secret:   meetingSecrets(),
		known:    []string{"id", "uuid"},
		examples: []actions.Example{{Title: "Read a webinar", Input: map[string]any{"webinar_id": int64(91000000042)}}},
	}
}

func webinarFields() map[string]actions.Schema {
	return map[string]actions.Schema{
		"id":         {Type: "integer", Doc: "The webinar's number."},
		"uuid":       {Type: "string", Doc: "The id of this instance."},
		"topic":      {Type: "string", Doc: "What it is about."},
		"type":       {Type: "integer", Doc: "5 once, 6 recurring without a fixed time, 9 recurring."},
		"start_time": {Type: "string", Doc: "When it starts, in UTC.", Format: "date-time"},
		"duration":   {Type: "integer", Doc: "In minutes."},
		"timezone":   {Type: "string", Doc: "The zone that it is shown in."},
		"created_at": {Type: "string", Doc: "When it was created.", Format: "date-time"},
		"join_url":   {Type: "string", Doc: "Where to join."},
		"host_id":    {Type: "string", Doc: "The host's user id."},
	}
}

func listRecordings() operation {
	op := recordingsList("list_recordings", "The user's meetings that were recorded.")
	op.params = []string{"user_id"}
	op.input["user_id"] = userInput()
	op.errors = known(noUser())
	op.examples = []actions.Example{{
		Title: "What a user recorded in March",
		Input: map[string]any{"user_id": "noor.haddad@harbor.example", "from": "2026-03-01", "to": "2026-03-31"},
	}}
	return op
}

func listAccountRecordings() operation {
	op := recordingsList("list_account_recordings", "The account's meetings that were recorded.")
	op.params = []string{"account_id"}
	op.input["account_id"] = actions.Schema{Type: "string", Doc: "The account; me is that of the connection.", Default: "me"}
	op.errors = known(actions.Known{If: "error.code == 2001", Doc: "There is no such account, or the connection is not one for a whole account."})
	op.examples = []actions.Example{{
		Title: "What was recorded in March",
		Input: map[string]any{"from": "2026-03-01", "to": "2026-03-31"},
	}}
	return op
}

// recordingsList is what the lists of recordings have in common.
func recordingsList(name, doc string) operation {
	return operation{
		name:  name,
		query: []string{"from", "to"},
		input: map[string]actions.Schema{
			"from":  {Type: "string", Doc: "The first day, such as 2026-03-01. Zoom lists a month at most; without it, one day."},
			"to":    {Type: "string", Doc: "The last day, such as 2026-03-31."},
			"limit": limitInput(),
		},
		output: listOutput("meetings", doc, recordingsOutput().Fields),
		effect: actions.Read,
		known:  append(pageFields("meetings"), "from"),
		list:   "meetings",
	}
}

func getPastMeeting() operation {
	return operation{
		name:     "get_past_meeting",
		params:   []string{"meeting_id"},
		input:    map[string]actions.Schema{"meeting_id": uuidInput()},
		required: []string{"meeting_id"},
		output: actions.Schema{Type: "object", Open: true, Fields: map[string]actions.Schema{
			"id":                 {Type: "integer", Doc: "The meeting's number."},
			"uuid":               {Type: "string", Doc: "The id of the instance."},
			"host_id":            {Type: "string", Doc: "The host's user id."},
			"user_name":          {Type: "string", Doc: "The host's name."},
			"user_email":         {Type: "string", Doc: "The host's address."},
			"topic":              {Type: "string", Doc: "What it was about."},
			"type":               {Type: "integer", Doc: "The kind of meeting, as in the input of zoom.create_meeting."},
			"start_time":         {Type: "string", Doc: "When it started, in UTC.", Format: "date-time"},
			"end_time":           {Type: "string", Doc: "When it ended, in UTC.", Format: "date-time"},
			"duration":           {Type: "integer", Doc: "In minutes."},
			"total_minutes":      {Type: "integer", Doc: "The minutes of all participants together."},
			"participants_count": {Type: "integer", Doc: "How many joined."},
		}},
		effect: actions.Read,
		errors: known(notWritten()),
		known:  []string{"uuid", "id"},
		examples: []actions.Example{{
			Title: "How long it was",
			Input: map[string]any{"meeting_id": "c2FtcGxlTWVldGluZ1VVSQ=="},
		}},
	}
}

func listInstances() operation {
	return operation{
		name:     "list_past_meeting_instances",
		params:   []string{"meeting_id"},
		input:    map[string]actions.Schema{"meeting_id": idInput()},
		required: []string{"meeting_id"},
		output: actions.Schema{Type: "object", Open: true, Fields: map[string]actions.Schema{
			"meetings": {
				Type: "array", Doc: "The times that it took place, all at once.",
				Items: &actions.Schema{Type: "object", Doc: "One of them.", Open: true, Fields: map[string]actions.Schema{
					"uuid":       {Type: "string", Doc: "The id of the instance."},
					"start_time": {Type: "string", Doc: "When it started, in UTC.", Format: "date-time"},
				}},
			},
		}},
		effect:   actions.Read,
		errors:   known(notWritten()),
		known:    []string{"meetings"},
		examples: []actions.Example{{Title: "When a class was held", Input: map[string]any{"meeting_id": int64(91000000001)}}},
	}
}

func notWritten() actions.Known {
	return actions.Known{If: "error.code == 3001", Doc: "It is not written yet, which takes Zoom some minutes after the end; or there is no such meeting.", Again: true}
}
