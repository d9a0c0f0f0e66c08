package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

func TestLastFixed(t *testing.T) {
	for text, want := range map[string]string{
		`[{"events":[{"introduced":"0"},{"fixed":"1.2.3"}]}]`:                                                           "1.2.3",
		`[{"events":[{"introduced":"0"},{"fixed":"1.9.0"},{"introduced":"1.10.0"},{"fixed":"1.10.2"}]}]`:                "1.10.2",
		`[{"events":[{"introduced":"0"}]}]`:                                                                             "",
		`[{"events":[{"introduced":"0"},{"fixed":"1.2.3"},{"introduced":"2.0.0"}]}]`:                                    "",
		`[{"events":[{"introduced":"0"},{"fixed":"1.2.3"}]},{"events":[{"introduced":"1.5.0"}]}]`:                       "",
		`[{"events":[{"introduced":"0"},{"fixed":"1.2.3"}]},{"events":[{"introduced":"1.1.0"},{"fixed":"1.4.0-rc1"}]}]`: "1.4.0-rc1",
	} {
		var ranges []versions
		if err := json.Unmarshal([]byte(text), &ranges); err != nil {
			t.Fatal(err)
		}
		if got := lastFixed(ranges); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func TestDatabaseHasEveryReportInItsIndex(t *testing.T) {
	reports, dir := t.TempDir(), filepath.Join(t.TempDir(), "db")
	for id, text := range map[string]string{
		"GO-2020-0001": `{"id":"GO-2020-0001","modified":"2020-01-01T00:00:00Z","aliases":["CVE-1"],"affected":[{"package":{"name":"b.org/m"},"ranges":[{"events":[{"introduced":"0"},{"fixed":"1.0.1"}]}]}]}`,
		"GO-2021-0002": `{"id":"GO-2021-0002","modified":"2021-01-01T00:00:00Z","affected":[{"package":{"name":"a.org/m"},"ranges":[{"events":[{"introduced":"0"}]}]},{"package":{"name":"b.org/m"},"ranges":[{"events":[{"introduced":"0"}]}]}]}`,
	} {
		if err := os.WriteFile(filepath.Join(reports, id+".json"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	n, err := makeDatabase(reports, dir)
	if err != nil || n != 2 {
		t.Fatal(n, err)
	}
	for name, want := range map[string]string{
		"db": `{"modified":"2021-01-01T00:00:00Z"}`,
		"modules": `[{"path":"a.org/m","vulns":[{"id":"GO-2021-0002","modified":"2021-01-01T00:00:00Z"}]},` +
			`{"path":"b.org/m","vulns":[{"id":"GO-2020-0001","modified":"2020-01-01T00:00:00Z","fixed":"1.0.1"},{"id":"GO-2021-0002","modified":"2021-01-01T00:00:00Z"}]}]`,
		"vulns": `[{"id":"GO-2020-0001","modified":"2020-01-01T00:00:00Z","aliases":["CVE-1"]},{"id":"GO-2021-0002","modified":"2021-01-01T00:00:00Z"}]`,
	} {
		if text, err := os.ReadFile(filepath.Join(dir, "index", name+".json")); err != nil || string(text) != want {
			t.Errorf("%s: %v\n%s\nwant\n%s", name, err, text, want)
		}
	}
	if _, err := makeDatabase(t.TempDir(), dir); err == nil {
		t.Error("a folder without reports made a database")
	}
}

func TestDateOf(t *testing.T) {
	for version, want := range map[string]string{"v0.0.0-20261105234957-e22db6528018": "2026-11-05", "v1.2.3": "v1.2.3"} {
		if got := dateOf(version); got != want {
			t.Errorf("%s: %s, want %s", version, got, want)
		}
	}
}
