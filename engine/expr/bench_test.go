package expr

import "testing"

func benchmark(b *testing.B, src string) {
	p, err := Compile(src, testScope())
	if err != nil {
		b.Fatal(err)
	}
	env := testEnv()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Eval(env, testClock); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPath(b *testing.B)      { benchmark(b, "steps.people.output.participants") }
func BenchmarkDefault(b *testing.B)   { benchmark(b, "event.object?.c ?? ''") }
func BenchmarkCondition(b *testing.B) { benchmark(b, "event.id > 3 && event.topic endsWith 'ly'") }
func BenchmarkLoop(b *testing.B)      { benchmark(b, "map(filter(event.list, # > 1), # * 2)") }
func BenchmarkNow(b *testing.B)       { benchmark(b, "now() + duration('1d')") }

func BenchmarkTemplate(b *testing.B) {
	tpl, err := ParseTemplate(obj{"to": "${{ event.topic }}", "text": "Hello ${{ event.id }}, ${{ vars.office }}", "n": "${{ event.id + 1 }}", "fixed": obj{"a": 1}}, testScope())
	if err != nil {
		b.Fatal(err)
	}
	env := testEnv()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tpl.Eval(env, testClock); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	s := testScope()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Compile("event.id > 3 && event.topic endsWith 'ly'", s); err != nil {
			b.Fatal(err)
		}
	}
}
