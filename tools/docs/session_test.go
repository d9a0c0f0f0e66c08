package docs

import "testing"

func TestSteps(t *testing.T) {
	steps, err := Steps("text\n```sh\n$ not run\n```\n```console\n$ a \\\n> b\nout\n\n# c &\n```\n")
	if err != nil {
		t.Fatal(err)
	}
	if len(steps) != 2 || steps[0].Command != "a \\\nb" || steps[0].Line != 6 || len(steps[0].Output) != 2 ||
		steps[1].Command != "c &" || !steps[1].Background() {
		t.Fatalf("%+v", steps)
	}
	if _, err := Steps("```console\n$ a\n"); err == nil {
		t.Error("an open block is accepted")
	}
	if _, err := Steps("```console\nout\n```"); err == nil {
		t.Error("output without a command is accepted")
	}
}

func TestMatch(t *testing.T) {
	cases := []struct {
		name   string
		step   Step
		output string
		want   bool
	}{
		{"the same", Step{Output: []string{"a", "b"}}, "a\nb\n", true},
		{"nothing wanted, nothing printed", Step{}, "", true},
		{"nothing wanted, something printed", Step{}, "a\n", false},
		{"another line", Step{Output: []string{"a"}}, "b\n", false},
		{"a line too many", Step{Output: []string{"a"}}, "a\nb\n", false},
		{"dots for lines", Step{Output: []string{"a", "...", "d"}}, "a\nb\nc\nd\n", true},
		{"dots for no lines", Step{Output: []string{"a", "...", "d"}}, "a\nd\n", true},
		{"dots do not hide a missing line", Step{Output: []string{"...", "d"}}, "a\nb\n", false},
		{"an ellipsis for text", Step{Output: []string{"in … ms"}}, "in 12 ms\n", true},
		{"an ellipsis stays on its line", Step{Output: []string{"in … ms"}}, "in 12\nms\n", false},
		{"other text is literal", Step{Output: []string{"a.c"}}, "abc\n", false},
		{"in the background more may follow", Step{Command: "x &", Output: []string{"a"}}, "a\nb\n", true},
	}
	for _, c := range cases {
		if got := c.step.Match(c.output); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
