package mapping_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"testing"

	"dropline/mapping"
	"dropline/schema"
)

// workItems is an export of WorkItem with n rows.
func workItems(n int) []byte {
	var b bytes.Buffer
	b.WriteString("ImportId,EntryDate,MatterId,EmployeeId,State,ItemType,TaskTypeId,Title,Rate,Units,UnitDuration,Total,CreatedOn\r\n")
	states := []string{"Unbilled", "Billed", "Unbilled", "WrittenOff"}
	for i := range n {
		title := "Telephone attendance on the client"
		if i%10 == 3 {
			title = `"Letter to ""the other side"", reply"`
		}
		fmt.Fprintf(&b, "W%07d,2026-%02d-%02d,M%05d,E%03d,%s,Time,T%02d,%s,%d.0000,%d.5000,6,%d.2500,2026-11-22T10:%02d:%02dZ\r\n",
			i, i%12+1, i%28+1, i%50000, i%200, states[i%4], i%40, title, 300+i%200, i%9, i%3000, i%60, i%60)
	}
	return b.Bytes()
}

func BenchmarkReader(b *testing.B) {
	data := workItems(100_000)
	b.Run("encoding-csv", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			r := csv.NewReader(bytes.NewReader(data))
			r.ReuseRecord = true
			for {
				if _, err := r.Read(); err == io.EOF {
					break
				} else if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("typed", func(b *testing.B) {
		mapper, err := mapping.New(schema.Efimis10(), nil, mapping.Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			r, err := mapper.Open("WorkItem.csv", bytes.NewReader(data))
			if err != nil {
				b.Fatal(err)
			}
			for r.Next() {
				if j := r.Refused(); j != nil {
					b.Fatal(j.Message)
				}
			}
			if r.Err() != nil || r.Row().Record != 100_000 {
				b.Fatal(r.Err(), r.Row().Record)
			}
		}
	})
}
