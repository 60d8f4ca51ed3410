package push

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"dropline/ingest"
)

// longestBatchID is the length of the ids that newBatch makes.
const longestBatchID = 26

// relationName is a relation's name as it stands in the name of a file: what a path cannot hold is escaped as in URLs, and
// letters of any script are left as they are, which keeps long names short.
func relationName(name string) string {
	var b strings.Builder
	for i := 0; i < len(name); {
		r, n := utf8.DecodeRuneInString(name[i:])
		switch {
		case r == utf8.RuneError && n == 1, r == '%', r == '/', r == '\\', unicode.IsControl(r), r == '.' && i == 0:
			for _, c := range []byte(name[i : i+n]) {
				fmt.Fprintf(&b, "%%%02X", c)
			}
		default:
			b.WriteString(name[i : i+n])
		}
		i += n
	}
	return b.String()
}

// fileName is the path below the inbox of a part of a relation, numbered from 1.
func fileName(rel *ingest.PlannedRelation, number int) string {
	return fmt.Sprintf("%s/%s/%s.%d.csv.zst", ingest.PushFolder, rel.Table, relationName(rel.Name), number)
}

// nameFits reports whether the files of a relation can have their names, whatever their numbers, while they wait for a batch.
func nameFits(rel *ingest.PlannedRelation) bool {
	name := fileName(rel, ingest.MaxBatchFiles)
	last := name[strings.LastIndexByte(name, '/')+1:]
	return len(last)+len(ingest.BatchID(strings.Repeat("x", longestBatchID)).Held("")) <= ingest.MaxNameBytes
}
