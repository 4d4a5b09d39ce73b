package zoom

import "zflow/actions"

// known adds what every operation may answer to what one may.
func known(of ...actions.Known) []actions.Known {
	return append(of,
		actions.Known{If: "error.status == 429", Doc: "A rate limit is reached; the next attempt waits for as long as Zoom says.", Again: true},
		actions.Known{If: "error.code == 4711", Doc: "The Zoom app lacks a scope; the message names it."},
		actions.Known{If: "error.code == 200", Doc: "The account's plan, or the user's role, does not permit it."},
	)
}

func noUser() actions.Known {
	return actions.Known{If: "error.code == 1001", Doc: "There is no such user in the account."}
}

func noMeeting() actions.Known {
	return actions.Known{If: "error.code == 3001", Doc: "There is no such meeting: it was deleted, or its id has expired."}
}

func badInput() actions.Known {
	return actions.Known{If: "error.code == 300", Doc: "Zoom refuses an input; the message names the field."}
}
