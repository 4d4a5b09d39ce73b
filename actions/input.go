package actions

// TextIn reads a text of an input; empty where there is none.
func TextIn(input map[string]any, name string) (string, error) {
	v := input[name]
	s, ok := v.(string)
	if v != nil && !ok {
		return "", Final("%s is not text", name)
	}
	return s, nil
}

// FlagIn reads a truth of an input, or returns what holds where there is none.
func FlagIn(input map[string]any, name string, otherwise bool) (bool, error) {
	v := input[name]
	if v == nil {
		return otherwise, nil
	}
	b, ok := v.(bool)
	if !ok {
		return false, Final("%s is true or false", name)
	}
	return b, nil
}
