package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"time"

	"golang.org/x/mod/semver"
)

// report is the part of a report (osv.dev) that the index is made from.
type report struct {
	ID       string    `json:"id"`
	Modified time.Time `json:"modified"`
	Aliases  []string  `json:"aliases"`
	Affected []struct {
		Module struct {
			Path string `json:"name"`
		} `json:"package"`
		Ranges []versions `json:"ranges"`
	} `json:"affected"`
}

// versions is a range of them: from where a fault came to where it went.
type versions struct {
	Events []struct {
		Introduced string `json:"introduced"`
		Fixed      string `json:"fixed"`
	} `json:"events"`
}

// The index of the database, as its first version lays it out.
type (
	dbMeta struct {
		Modified time.Time `json:"modified"`
	}
	moduleMeta struct {
		Path  string       `json:"path"`
		Vulns []moduleVuln `json:"vulns"`
	}
	moduleVuln struct {
		ID       string    `json:"id"`
		Modified time.Time `json:"modified"`
		Fixed    string    `json:"fixed,omitempty"`
	}
	vulnMeta struct {
		ID       string    `json:"id"`
		Modified time.Time `json:"modified"`
		Aliases  []string  `json:"aliases,omitempty"`
	}
)

// makeDatabase writes the reports of a folder with their index to dir, anew, and
// returns how many there are.
func makeDatabase(reports, dir string) (int, error) {
	files, err := filepath.Glob(reports + "/*.json")
	if err != nil || len(files) == 0 {
		return 0, fmt.Errorf("%s holds no report (%v)", reports, err)
	}
	if err := os.RemoveAll(dir); err != nil {
		return 0, err
	}
	if err := errors.Join(os.MkdirAll(filepath.Join(dir, "ID"), 0o755), os.MkdirAll(filepath.Join(dir, "index"), 0o755)); err != nil {
		return 0, err
	}
	var meta dbMeta
	var vulns []vulnMeta
	modules := map[string]*moduleMeta{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return 0, err
		}
		var r report
		if err := json.Unmarshal(text, &r); err != nil {
			return 0, fmt.Errorf("%s: %w", file, err)
		}
		if err := os.WriteFile(filepath.Join(dir, "ID", r.ID+".json"), text, 0o644); err != nil {
			return 0, err
		}
		if r.Modified.After(meta.Modified) {
			meta.Modified = r.Modified
		}
		vulns = append(vulns, vulnMeta{r.ID, r.Modified, r.Aliases})
		r.index(modules)
	}
	list := make([]*moduleMeta, 0, len(modules))
	for _, m := range modules {
		list = append(list, m)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Path < list[j].Path })
	return len(vulns), errors.Join(writeJSON(dir, "db", meta), writeJSON(dir, "modules", list), writeJSON(dir, "vulns", vulns))
}

// index adds a report to the modules that it is about: once for each set of
// ranges, as a module may be mended in one line of versions and not in another.
func (r *report) index(modules map[string]*moduleMeta) {
	for _, a := range r.Affected {
		m := modules[a.Module.Path]
		if m == nil {
			m = &moduleMeta{Path: a.Module.Path}
			modules[a.Module.Path] = m
		}
		m.Vulns = append(m.Vulns, moduleVuln{r.ID, r.Modified, lastFixed(a.Ranges)})
	}
}

// lastFixed is the version from which on all are mended, "" if there is none.
// govulncheck does not look at a report for later versions, so in doubt there is
// none.
func lastFixed(ranges []versions) string {
	last := ""
	for _, r := range ranges {
		for _, e := range r.Events {
			if e.Fixed != "" && semver.Compare("v"+e.Fixed, "v"+last) > 0 {
				last = e.Fixed
			}
		}
	}
	for _, r := range ranges {
		if len(r.Events) == 0 || r.Events[len(r.Events)-1].Fixed == "" {
			return "" // it is open at its end
		}
		for _, e := range r.Events {
			if e.Introduced != "" && semver.Compare("v"+e.Introduced, "v"+last) > 0 {
				return "" // it came back
			}
		}
	}
	return last
}

func writeJSON(dir, name string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "index", name+".json"), text, 0o644)
}
