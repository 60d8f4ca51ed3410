package staging_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"

	"dropline/ingest"

	"github.com/google/go-cmp/cmp"
)

// production of the model: of each key the values of its row.
type livingRows map[string]string

const (
	sortHeader = "ImportId|Bounded|Big|Money|Flag|Day"
	// sortValues tells a row of production as the model does.
	sortValues = `select import_id, concat_ws('|', coalesce(bounded, ''), coalesce(big::text, ''), coalesce(trim_scale(money)::text, ''),
		coalesce(flag::text, ''), coalesce(day::text, '')) from production_acme.sort`
)

// someRows makes rows of a few keys, of which two by chance are often equal.
func someRows(rng *rand.Rand) livingRows {
	pick := func(values ...string) string { return values[rng.IntN(len(values))] }
	rows := livingRows{}
	for range 1 + rng.IntN(12) {
		rows[fmt.Sprintf("K%d", rng.IntN(10))] = strings.Join([]string{pick("", "a"), pick("", "7"), "-1.5", "true", ""}, "|")
	}
	return rows
}

// TestPromotionsAgreeWithTheModel: whatever is promoted and rolled back, and whatever others do to production meanwhile,
// production ends as the plain reading of it says, and so do the counts.
func TestPromotionsAgreeWithTheModel(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, probe(t))
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 1))
	type promoted struct {
		outcome
		before livingRows
	}
	var done []promoted
	live := livingRows{}
	for step := range 120 {
		what := ""
		switch dice := rng.IntN(10); {
		case dice < 6:
			rows := someRows(rng)
			file := csvFile{table: "Sort", header: sortHeader}
			want, after := ingest.PromotionCounts{}, maps.Clone(live)
			for key, values := range rows {
				file.rows = append(file.rows, key+"|"+values)
				switch old, there := live[key]; {
				case !there:
					want.Inserted++
				case old != values:
					want.Updated++
				default:
					want.Unchanged++
				}
				after[key] = values
			}
			o := w.load(nil, file)
			if diff := cmp.Diff(want, w.promote(o)["Sort"]); diff != "" {
				t.Fatalf("seed %d, step %d: %s", seed, step, diff)
			}
			done, live, what = append(done, promoted{o, live}), after, "a promotion"
		case dice < 8 && len(done) > 0:
			last := done[len(done)-1]
			if err := w.rollback(last.outcome); err != nil {
				t.Fatalf("seed %d, step %d: %v", seed, step, err)
			}
			done, live, what = done[:len(done)-1], last.before, "a rollback"
		default: // somebody else; what they do to values is not to be rolled back
			key := fmt.Sprintf("K%d", rng.IntN(10))
			switch rng.IntN(3) {
			case 0:
				w.exec("update production_acme.sort set big = 7 where import_id >= $1", key)
				live = maps.Clone(live)
				for other, values := range live {
					if other >= key {
						parts := strings.Split(values, "|")
						parts[1] = "7"
						live[other] = strings.Join(parts, "|")
					}
				}
				done = nil
			case 1:
				w.exec("delete from production_acme.sort where import_id = $1", key)
				live = maps.Clone(live)
				delete(live, key)
				done = nil
			case 2: // a dump that was restored: all is there, and all was written by another transaction
				w.exec("update production_acme.sort set id = id")
			}
			what = "foreign hands"
		}
		got := livingRows{}
		rows, err := w.pool.Query(t.Context(), sortValues)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var key, values string
			if err := rows.Scan(&key, &values); err != nil {
				t.Fatal(err)
			}
			got[key] = values
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(live, got); diff != "" {
			t.Fatalf("seed %d, step %d, after %s: %s", seed, step, what, diff)
		}
	}
}
