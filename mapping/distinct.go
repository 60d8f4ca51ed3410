package mapping

import (
	"encoding/binary"
	"fmt"
	"hash/maphash"

	"dropline/ingest"
)

// maxDistinct is how many different rows are told apart where a mapping wants each once: some 40 MB. What is on each line of a file
// beside what the line is about (the term of a class, the client of an invoice) is far less.
const maxDistinct = 1 << 20

// distinct remembers the rows of a file, so that one that comes again is left out.
type distinct struct {
	seeds    [2]maphash.Seed
	seen     map[[2]uint64]struct{}
	text     []byte
	repeated int64
}

func newDistinct() *distinct {
	return &distinct{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}, seen: map[[2]uint64]struct{}{}}
}

// repeats reports whether all values of a row are those of an earlier one.
func (d *distinct) repeats(values []ingest.Value) bool {
	d.text = d.text[:0]
	for i := range values {
		v := &values[i]
		if v.Null {
			d.text = append(d.text, 0)
			continue
		}
		d.text = append(d.text, 1)
		d.text = binary.AppendVarint(d.text, v.Int)
		d.text = binary.AppendUvarint(d.text, uint64(len(v.Text)))
		d.text = append(d.text, v.Text...)
	}
	sum := [2]uint64{maphash.Bytes(d.seeds[0], d.text), maphash.Bytes(d.seeds[1], d.text)}
	if _, there := d.seen[sum]; there {
		d.repeated++
		return true
	}
	if len(d.seen) < maxDistinct {
		d.seen[sum] = struct{}{}
	}
	return false
}

// isRepeated reports whether the present row is to be left out because there was one like it. Refused ones are told each.
func (r *Reader) isRepeated() bool {
	d := r.division.distinct
	if d == nil || r.refused {
		return false
	}
	if len(d.seen) == maxDistinct && r.scan.err == nil {
		r.scan.err = unreadable("it has more than %d different rows for %s, more than distinct tells apart: leave distinct out of the mapping", maxDistinct, r.table.Name)
	}
	return d.repeats(r.row.Values)
}

// told says how many rows are left out because they were there before.
func (d *distinct) told(read int64) []string {
	if d == nil || d.repeated == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%d of %d rows are left out as they are there before", d.repeated, read)}
}
