package actions

// Schema is the type of a value: the part of JSON Schema that actions need.
type Schema struct {
	Type     string            // object, array, string, integer, number, boolean; empty: any
	Doc      string            // one line, with units
	Fields   map[string]Schema // of an object
	Required []string          // of an object
	Open     bool              // an object that may have other fields too
	Items    *Schema           // of an array
	Enum     []string          // of a string
	Default  any
	Min, Max *float64 // of a number; of a string or array: its length
	Format   string   // date-time, url, duration
}
