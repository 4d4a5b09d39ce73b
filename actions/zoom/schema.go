package zoom

import "zflow/actions"

func number(n float64) *float64 { return &n }

// with adds fields, given as names and schemas, to a set.
func with(fields map[string]actions.Schema, more ...any) map[string]actions.Schema {
	for i := 0; i+1 < len(more); i += 2 {
		name, _ := more[i].(string)
		fields[name], _ = more[i+1].(actions.Schema)
	}
	return fields
}

func userInput() actions.Schema {
	return actions.Schema{
		Type: "string", Default: "me",
		Doc: "The user, by id or e-mail address. me is who connected. A server-to-server app has no me: with it, me is the host of what the run's event is about, and where there is none a user has to be named.",
	}
}

func idInput() actions.Schema {
	return actions.Schema{Doc: "The meeting's number, as a number or text."}
}

func uuidInput() actions.Schema {
	return actions.Schema{Doc: "The UUID of one instance, or the meeting's number for its latest one."}
}

func limitInput() actions.Schema {
	return actions.Schema{
		Type: "integer", Doc: "The most items to return.",
		Default: int64(defaultLimit), Min: number(1), Max: number(mostItems),
	}
}

func meetingInput() map[string]actions.Schema {
	return map[string]actions.Schema{
		"topic":            {Type: "string", Doc: "What the meeting is about, at most 200 characters."},
		"type":             {Type: "integer", Doc: "1 instant, 2 scheduled, 3 recurring without a fixed time, 8 recurring, 10 screen share only.", Default: int64(2)},
		"start_time":       {Type: "string", Doc: "When it starts: in UTC with a Z at the end, else in timezone.", Format: "date-time"},
		"timezone":         {Type: "string", Doc: "The zone of start_time, such as Europe/Berlin; default: the host's."},
		"duration":         {Type: "integer", Doc: "In minutes.", Min: number(1), Max: number(1440)},
		"agenda":           {Type: "string", Doc: "A description, at most 2,000 characters."},
		"password":         {Type: "string", Doc: "The passcode to join with, at most 10 characters."},
		"default_password": {Type: "boolean", Doc: "Let Zoom make a passcode by the host's settings."},
		"pre_schedule":     {Type: "boolean", Doc: "Make it through a calendar integration's pre-schedule."},
		"schedule_for":     {Type: "string", Doc: "The user to schedule it for, by id or e-mail address."},
		"template_id":      {Type: "string", Doc: "The meeting template to use."},
		"tracking_fields":  {Type: "array", Doc: "Values of the account's tracking fields: objects with field and value."},
		"recurrence":       {Type: "object", Doc: "How a recurring meeting recurs: type, repeat_interval, weekly_days, end_times and so on.", Open: true},
		"settings":         {Type: "object", Doc: "Zoom's meeting settings, such as waiting_room, approval_type, auto_recording.", Open: true},
	}
}

func meetingOutput() actions.Schema {
	return actions.Schema{
		Type: "object", Open: true,
		Fields: map[string]actions.Schema{
			"id":                 {Type: "integer", Doc: "The meeting's number."},
			"uuid":               {Type: "string", Doc: "The id of this instance."},
			"host_id":            {Type: "string", Doc: "The host's user id."},
			"host_email":         {Type: "string", Doc: "The host's address."},
			"topic":              {Type: "string", Doc: "What it is about."},
			"type":               {Type: "integer", Doc: "The kind of meeting, as in the input of zoom.create_meeting."},
			"status":             {Type: "string", Doc: "waiting or started."},
			"start_time":         {Type: "string", Doc: "When it starts, in UTC.", Format: "date-time"},
			"duration":           {Type: "integer", Doc: "In minutes."},
			"timezone":           {Type: "string", Doc: "The zone that it is shown in."},
			"agenda":             {Type: "string", Doc: "The description."},
			"created_at":         {Type: "string", Doc: "When it was created.", Format: "date-time"},
			"join_url":           {Type: "string", Doc: "Where participants join."},
			"start_url":          {Type: "string", Doc: "Where the host starts it; carries a credential, so it is sealed."},
			"registration_url":   {Type: "string", Doc: "Where people register, if they must."},
			"password":           {Type: "string", Doc: "The passcode to join with."},
			"encrypted_password": {Type: "string", Doc: "The passcode as links carry it; sealed."},
			"h323_password":      {Type: "string", Doc: "The passcode for room systems; sealed."},
			"pstn_password":      {Type: "string", Doc: "The passcode for telephones; sealed."},
			"dynamic_host_key":   {Type: "string", Doc: "The key to claim host with; sealed."},
			"occurrences":        {Type: "array", Doc: "The occurrences of a recurring meeting."},
			"recurrence":         {Type: "object", Doc: "How it recurs.", Open: true},
			"settings":           {Type: "object", Doc: "Its settings.", Open: true},
		},
	}
}

// meetingSecrets are the fields with which somebody could be host, or get in
// where a link was not given out.
func meetingSecrets() []string {
	return []string{"start_url", "dynamic_host_key", "encrypted_password", "h323_password", "pstn_password"}
}

func doneOutput(doc string) actions.Schema {
	return actions.Schema{
		Type: "object", Required: []string{"meeting_id"},
		Fields: map[string]actions.Schema{"meeting_id": {Type: "string", Doc: doc}},
	}
}

func listOutput(list, doc string, item map[string]actions.Schema) actions.Schema {
	return actions.Schema{
		Type: "object", Required: []string{list, "more"},
		Fields: map[string]actions.Schema{
			list: {
				Type: "array", Doc: doc,
				Items: &actions.Schema{Type: "object", Doc: "One of them.", Fields: item, Open: true},
			},
			"more":          {Type: "boolean", Doc: "Whether there are more than the limit."},
			"total_records": {Type: "integer", Doc: "How many there are, if Zoom says."},
		},
	}
}

// pageFields are those by which a page of a list is known.
func pageFields(list string) []string {
	return []string{list, "page_size", "page_count", "total_records"}
}

func registrantInput() map[string]actions.Schema {
	return map[string]actions.Schema{
		"meeting_id":               idInput(),
		"occurrence_ids":           {Type: "array", Doc: "The occurrences of a recurring meeting to register for; default: all."},
		"email":                    {Type: "string", Doc: "The person's address."},
		"first_name":               {Type: "string", Doc: "The person's first name, at most 64 characters."},
		"last_name":                {Type: "string", Doc: "The person's last name, at most 64 characters."},
		"auto_approve":             {Type: "boolean", Doc: "Approve the person whatever the meeting's setting says."},
		"language":                 {Type: "string", Doc: "The language of the confirmation mail, such as de-DE."},
		"address":                  {Type: "string", Doc: "Street and number."},
		"city":                     {Type: "string", Doc: "City."},
		"state":                    {Type: "string", Doc: "State or province."},
		"zip":                      {Type: "string", Doc: "Postal code."},
		"country":                  {Type: "string", Doc: "Country, as a two-letter code."},
		"phone":                    {Type: "string", Doc: "Telephone number."},
		"org":                      {Type: "string", Doc: "Organization."},
		"industry":                 {Type: "string", Doc: "Industry of the organization."},
		"job_title":                {Type: "string", Doc: "Job title."},
		"comments":                 {Type: "string", Doc: "Questions and comments."},
		"no_of_employees":          {Type: "string", Doc: "Size of the organization, as a range that Zoom offers."},
		"purchasing_time_frame":    {Type: "string", Doc: "When to buy, as Zoom offers it."},
		"role_in_purchase_process": {Type: "string", Doc: "Part in the decision, as Zoom offers it."},
		"custom_questions":         {Type: "array", Doc: "Answers to the meeting's own questions: objects with title and value."},
	}
}

func registrantOutput() actions.Schema {
	return actions.Schema{
		Type: "object", Open: true,
		Fields: map[string]actions.Schema{
			"id":                   {Type: "integer", Doc: "The meeting's number."},
			"registrant_id":        {Type: "string", Doc: "The registrant's id."},
			"join_url":             {Type: "string", Doc: "The person's own link, sealed; absent until approved."},
			"topic":                {Type: "string", Doc: "What the meeting is about."},
			"start_time":           {Type: "string", Doc: "When it starts, in UTC.", Format: "date-time"},
			"participant_pin_code": {Doc: "The person's code for joining by telephone."},
		},
	}
}

func recordingsOutput() actions.Schema {
	file := map[string]actions.Schema{
		"id":              {Type: "string", Doc: "The file's id."},
		"file_type":       {Type: "string", Doc: "MP4, M4A, CHAT, TRANSCRIPT and so on."},
		"file_extension":  {Type: "string", Doc: "What the file's name ends in."},
		"file_size":       {Type: "number", Doc: "In bytes."},
		"recording_type":  {Type: "string", Doc: "What was recorded, such as shared_screen_with_speaker_view."},
		"recording_start": {Type: "string", Doc: "When it begins.", Format: "date-time"},
		"recording_end":   {Type: "string", Doc: "When it ends.", Format: "date-time"},
		"status":          {Type: "string", Doc: "completed, once it is there."},
		"play_url":        {Type: "string", Doc: "Where to watch it."},
		"download_url":    {Type: "string", Doc: "Where to get it, with a token."},
	}
	return actions.Schema{
		Type: "object", Open: true,
		Fields: map[string]actions.Schema{
			"id":                    {Type: "integer", Doc: "The meeting's number."},
			"uuid":                  {Type: "string", Doc: "The id of the instance."},
			"topic":                 {Type: "string", Doc: "What the meeting was about."},
			"start_time":            {Type: "string", Doc: "When it started, in UTC.", Format: "date-time"},
			"duration":              {Type: "integer", Doc: "In minutes."},
			"recording_count":       {Type: "integer", Doc: "How many files there are."},
			"total_size":            {Type: "integer", Doc: "Of all files, in bytes."},
			"share_url":             {Type: "string", Doc: "The page of the recording."},
			"password":              {Type: "string", Doc: "The passcode of that page."},
			"download_access_token": {Type: "string", Doc: "A token to download with, sealed; only if asked for."},
			"recording_files": {
				Type: "array", Doc: "The files.",
				Items: &actions.Schema{Type: "object", Doc: "A file.", Fields: file, Open: true},
			},
		},
	}
}
