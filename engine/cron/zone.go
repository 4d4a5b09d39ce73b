package cron

import (
	_ "embed"
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // the same zones on every machine
)

//go:embed zones.txt
var zones string

// Zones are the names of the time zones.
func Zones() []string { return strings.Fields(zones) }

// Zone looks a time zone up by its name, such as Europe/Berlin.
func Zone(name string) (*time.Location, error) {
	// Local differs between machines; so do these folders, of which not all have them.
	local := name == "" || name == "Local" || strings.HasPrefix(name, "posix/") || strings.HasPrefix(name, "right/")
	if zone, err := time.LoadLocation(name); err == nil && !local {
		return zone, nil
	}
	return nil, fmt.Errorf("%q is no time zone", name)
}

// ZoneLike returns the zone whose name differs in case only, or whose city it is; else
// none.
func ZoneLike(name string) string {
	name = strings.ReplaceAll(strings.TrimSpace(name), " ", "_")
	for _, like := range []func(zone string) bool{
		func(zone string) bool { return strings.EqualFold(zone, name) },
		func(zone string) bool { return strings.EqualFold(zone[strings.LastIndexByte(zone, '/')+1:], name) },
	} {
		for _, zone := range Zones() {
			if like(zone) {
				return zone
			}
		}
	}
	return ""
}
