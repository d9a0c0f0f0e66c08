// Package monitoring holds a Grafana dashboard and alert rules for Prometheus.
package monitoring

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"

	"bootstorm/engine/batch"
	"bootstorm/engine/story"
	"bootstorm/engine/view"
	"bootstorm/engine/view/rehearse"
)

// exported are the metrics of a server that has seen a storm, with their types.
func exported(t *testing.T) map[string]string {
	t.Helper()
	now := time.Now()
	storm := rehearse.New(200, now.Add(-time.Minute), true)
	storm.Play(now)
	h := view.New(storm.Book, &rehearse.Engine{}, view.Options{Hooks: func() view.HookCounts { return view.HookCounts{} }})
	for _, k := range []batch.EventKind{batch.EventDiscover, batch.EventAck, batch.EventTransferDone, batch.EventSilence} {
		h.Observe(now, &batch.Event{Kind: k})
	}
	h.Tell([]story.Told{{Kind: story.ToldBooted, Node: story.Node{Started: now, Finished: now.Add(time.Second)}}})
	w := httptest.NewRecorder()
	q := httptest.NewRequest("GET", "/metrics", nil)
	q.Host = "localhost"
	h.ServeHTTP(w, q)
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]string{}
	for name, f := range families {
		names[name] = f.GetType().String()
	}
	if len(names) < 30 {
		t.Fatalf("only %d metrics", len(names))
	}
	return names
}

var metricNames = regexp.MustCompile(`\bbootstorm_[a-z0-9_]+`)

// check tells what is wrong with an expression: metrics that are not exported,
// functions that do not fit their type, brackets without their other half.
func check(t *testing.T, where, expr string, names map[string]string) {
	t.Helper()
	found := metricNames.FindAllString(expr, -1)
	if len(found) == 0 {
		t.Errorf("%s: no metric in %q", where, expr)
	}
	for _, name := range found {
		base, bucket := strings.CutSuffix(name, "_bucket")
		kind := names[base]
		if kind == "" {
			t.Errorf("%s: %s is not exported", where, name)
		}
		if bucket != (kind == "HISTOGRAM") || bucket && !strings.Contains(expr, "histogram_quantile(") {
			t.Errorf("%s: %s is a %s in %q", where, name, kind, expr)
		}
		rated := regexp.MustCompile(`rate\(` + name + `\b`).MatchString(expr)
		if rated != (kind == "COUNTER" || bucket) {
			t.Errorf("%s: %s is a %s, and rated: %v", where, name, kind, rated)
		}
	}
	for _, pair := range []string{"()", "{}", "[]"} {
		if strings.Count(expr, pair[:1]) != strings.Count(expr, pair[1:]) {
			t.Errorf("%s: unbalanced %s in %q", where, pair, expr)
		}
	}
	if strings.Count(expr, `"`)%2 != 0 {
		t.Errorf("%s: unbalanced quotes in %q", where, expr)
	}
}

func TestDashboardShowsWhatIsExported(t *testing.T) {
	names := exported(t)
	data, err := os.ReadFile("grafana-dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Panels []struct {
			ID                 int
			Title, Description string
			GridPos            struct{ X, Y, W, H int }
			Targets            []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(data, &d); err != nil {
		t.Fatal(err)
	}
	ids := map[int]bool{}
	for _, p := range d.Panels {
		if ids[p.ID] || p.Title == "" || p.Description == "" || len(p.Targets) == 0 || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("panel %+v", p)
		}
		ids[p.ID] = true
		for _, e := range p.Targets {
			check(t, p.Title, e.Expr, names)
		}
	}
	if len(d.Panels) < 15 {
		t.Errorf("only %d panels", len(d.Panels))
	}
}

func TestAlertsNameWhatIsExported(t *testing.T) {
	names := exported(t)
	data, err := os.ReadFile("alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	var rules struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(data, &rules); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, r := range rules.Groups[0].Rules {
		if r.Alert == "" || seen[r.Alert] || r.Labels["severity"] == "" || r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
			t.Errorf("rule %+v", r)
		}
		seen[r.Alert] = true
		check(t, r.Alert, r.Expr, names)
		if r.For != "" {
			if _, err := time.ParseDuration(r.For); err != nil {
				t.Errorf("%s: %v", r.Alert, err)
			}
		}
	}
	if len(seen) < 8 {
		t.Errorf("only %d alerts", len(seen))
	}
}
