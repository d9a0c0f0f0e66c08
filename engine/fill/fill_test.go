package fill

import (
	"strings"
	"testing"
)

var node = &Node{Host: "n1", MAC: "52:54:00:12:34:01", MACDash: "52-54-00-12-34-01", Address: "192.168.1.2", Mask: "255.255.255.240",
	Gateway: "192.168.1.1", Server: "192.168.1.1", Options: map[string]string{"domain-name": "example.org", "log-servers": "1.1.1.1 2.2.2.2"}}

func TestFill(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "plain\n": "plain\n",
		"{{.Host}} {{.MAC}} {{.MACDash}}":                          "n1 52:54:00:12:34:01 52-54-00-12-34-01",
		"ip={{.Address}}::{{.Gateway}}:{{.Mask}} {{.Server}}":      "ip=192.168.1.2::192.168.1.1:255.255.255.240 192.168.1.1",
		`{{.Option "domain-name"}}`:                                "example.org",
		`{{with index .Options "root-path"}}{{.}}{{else}}-{{end}}`: "-",
		`{{range $k, $v := .Options}}{{$k}}={{$v}};{{end}}`:        "domain-name=example.org;log-servers=1.1.1.1 2.2.2.2;",
		`{{if eq .Host "n1"}}{{printf "%q" .Host}}{{end}}`:         `"n1"`,
		`{{with .Host}}{{range $.Options}}x{{end}}{{end}}`:         "xx",
	} {
		f, err := Parse("/srv/f.tmpl", []byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := f.Fill(node); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v; want %q", text, got, err, want)
		}
	}
}

// TestRefused are templates that are told at once, with their line.
func TestRefused(t *testing.T) {
	for text, want := range map[string]string{
		"a\n{{.Host":                  "/srv/f.tmpl:2: ",
		"a\n\n{{nothing}}":            `/srv/f.tmpl:3: function "nothing" not defined`,
		"{{range 1000000000}}{{end}}": "/srv/f.tmpl:1:8: {{range}} works on .Options only",
		"\n{{if .Host}}{{else}}{{range $i := 1000000000}}{{end}}{{end}}":       "/srv/f.tmpl:2:",
		"{{range .Options}}{{with .}}{{range $.Options}}{{end}}{{end}}{{end}}": "{{range}} works on .Options only, and not inside another",
		`{{define "a"}}{{template "a"}}{{end}}{{template "a"}}`:                "{{define}}",
		`{{template "/srv/f.tmpl" .}}`:                                         "{{template}} is not supported",
		`{{block "b" .}}{{end}}`:                                               "{{define}} and {{block}}",
		strings.Repeat("x", MaxSize+1):                                         "at most 64 KiB",
		`{{with .Host}}{{else with .MAC}}{{range $n := 99}}{{end}}{{end}}`:     "{{range}}",
	} {
		if _, err := Parse("/srv/f.tmpl", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v, want %q", text, err, want)
		}
	}
}

// TestFillFails are templates that a node does not fit, or that would grow.
func TestFillFails(t *testing.T) {
	for text, want := range map[string]string{
		"x\n{{.Rack}}":                                                 "/srv/f.tmpl:2:2:",
		`{{.Option "root-path"}}`:                                      "no option root-path",
		`{{.Options.nothing}}`:                                         "no entry for key",
		`{{$x := printf "%70000d" 1}}`:                                 "larger than 64 KiB",
		`{{printf "%60000d" 1}}{{printf "%60000d" 1}}`:                 "larger than 64 KiB",
		"{{$x := .Host}}" + strings.Repeat("{{$x = print $x $x}}", 40): "larger than 64 KiB",
		`{{index .Host 99}}`:                                           "out of range",
	} {
		f, err := Parse("/srv/f.tmpl", []byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := f.Fill(node); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %d bytes, %v, want %q", text, len(got), err, want)
		}
	}
}
