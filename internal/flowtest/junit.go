package flowtest

import (
	"encoding/xml"
	"fmt"
	"strings"
)

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Time     string      `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`
	elapsed  float64
}

type junitCase struct {
	Name    string      `xml:"name,attr"`
	Class   string      `xml:"classname,attr"`
	File    string      `xml:"file,attr"`
	Time    string      `xml:"time,attr"`
	Failure *junitFault `xml:"failure,omitempty"`
	Error   *junitFault `xml:"error,omitempty"`
}

type junitFault struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// JUnit is the report as programs that show tests read it: a suite for each file.
// A file with mistakes is a suite with one error.
func (r *Report) JUnit() ([]byte, error) {
	all := junitSuites{}
	index := map[string]int{}
	suite := func(file string) *junitSuite {
		i, there := index[file]
		if !there {
			i = len(all.Suites)
			index[file] = i
			all.Suites = append(all.Suites, junitSuite{Name: file})
		}
		return &all.Suites[i]
	}
	for _, t := range r.Tests {
		suite(t.File).add(t)
	}
	for _, p := range r.Problems {
		if !p.Warning {
			suite(p.File).add(Result{File: p.File, Name: "reading the file", Workflow: p.File, Failure: p.String()})
		}
	}
	for i := range all.Suites {
		s := &all.Suites[i]
		s.Time = fmt.Sprintf("%.3f", s.elapsed)
		all.Tests, all.Failures, all.Errors = all.Tests+s.Tests, all.Failures+s.Failures, all.Errors+s.Errors
	}
	out, err := xml.MarshalIndent(all, "", "  ")
	return append([]byte(xml.Header), append(out, '\n')...), err
}

func (s *junitSuite) add(t Result) {
	c := junitCase{Name: t.Name, Class: t.Workflow, File: t.File, Time: fmt.Sprintf("%.3f", t.Elapsed)}
	s.Tests++
	s.elapsed += t.Elapsed
	switch {
	case t.Failure != "":
		s.Errors++
		first, _, _ := strings.Cut(t.Failure, "\n")
		c.Error = &junitFault{first, t.Failure}
	case !t.Passed:
		s.Failures++
		c.Failure = &junitFault{t.Wrong[0].String(), t.Text()}
	}
	s.Cases = append(s.Cases, c)
}
