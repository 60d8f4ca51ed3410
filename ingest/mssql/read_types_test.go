package mssql_test

import (
	"fmt"
	"math"
	"strings"
	"time"

	"dropline/internal/tdstest"
)

var (
	morning = time.Date(2024, 2, 29, 8, 9, 10, 0, time.UTC)
	guid    = "00112233-4455-6677-8899-AABBCCDDEEFF"
)

// everyType lists each type of T-SQL with two values and the texts they must have.
var everyType = []struct {
	kind         string
	first, other any
	want, second string
}{
	{"bit", true, false, "1", "0"},
	{"tinyint", 255, 0, "255", "0"},
	{"smallint", -32768, 32767, "-32768", "32767"},
	{"int", math.MinInt32, math.MaxInt32, "-2147483648", "2147483647"},
	{"bigint", int64(math.MinInt64), int64(math.MaxInt64), "-9223372036854775808", "9223372036854775807"},
	{"decimal(38,10)", "-1234567890123456789012345678.0123456789", "0.0000000001", "-1234567890123456789012345678.0123456789", "0.0000000001"},
	{"numeric(5,0)", "99999", "-1", "99999", "-1"},
	{"decimal(19,4)", "12.5000", "-0.0001", "12.5000", "-0.0001"},
	{"money", "922337203685477.5807", "-922337203685477.5808", "922337203685477.5807", "-922337203685477.5808"},
	{"smallmoney", "214748.3647", "-0.0001", "214748.3647", "-0.0001"},
	{"float", 0.1, -1.7976931348623157e308, "0.1", "-1.7976931348623157E+308"},
	{"real", float64(float32(0.1)), float64(float32(-3.4e38)), "0.1", "-3.4E+38"},
	{"date", time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), "0001-01-01", "9999-12-31"},
	{"time", time.Date(1, 1, 1, 23, 59, 59, 999_999_900, time.UTC), time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), "23:59:59.9999999", "00:00:00"},
	{"time(0)", time.Date(1, 1, 1, 7, 8, 9, 0, time.UTC), time.Date(1, 1, 1, 23, 0, 0, 0, time.UTC), "07:08:09", "23:00:00"},
	{"datetime", morning.Add(997 * time.Millisecond), time.Date(1753, 1, 1, 0, 0, 0, 0, time.UTC), "2024-02-29 08:09:10.997", "1753-01-01 00:00:00"},
	{"datetime2", morning.Add(1234567 * 100), time.Date(9999, 12, 31, 23, 59, 59, 999_999_900, time.UTC), "2024-02-29 08:09:10.1234567", "9999-12-31 23:59:59.9999999"},
	{"datetime2(3)", morning.Add(120 * time.Millisecond), morning, "2024-02-29 08:09:10.12", "2024-02-29 08:09:10"},
	{"smalldatetime", morning.Truncate(time.Minute), time.Date(2079, 6, 6, 0, 0, 0, 0, time.UTC), "2024-02-29 08:09:00", "2079-06-06 00:00:00"},
	{"datetimeoffset", morning.In(time.FixedZone("", 2*3600)), morning.In(time.FixedZone("", -3*3600-30*60)), "2024-02-29 10:09:10+02:00", "2024-02-29 04:39:10-03:30"},
	{"char(5)", "ab", "abcde", `"ab   "`, "abcde"},
	{"varchar(50)", "café €", "a,b", "café €", `"a,b"`},
	{"varchar(50) COLLATE Cyrillic_General_CI_AS", "Жук", "plain", "Жук", "plain"},
	{"varchar(50) COLLATE Latin1_General_100_CI_AS_SC_UTF8", "漢字 Жук é", "plain", "漢字 Жук é", "plain"},
	{"varchar(max)", strings.Repeat("x", 20_000), "", strings.Repeat("x", 20_000), `""`},
	{"nchar(3)", "ü", "漢字语", `"ü  "`, "漢字语"},
	{"nvarchar(50)", "say \"x\"\r\n🙂", " ", "\"say \"\"x\"\"\r\n🙂\"", `" "`},
	{"nvarchar(max)", strings.Repeat("ü", 20_000), "y", strings.Repeat("ü", 20_000), "y"},
	{"text", "old café", "x", "old café", "x"},
	{"ntext", "old 漢字", "x", "old 漢字", "x"},
	{"xml", "<a>1</a>", "<b/>", "<a>1</a>", "<b/>"},
	{"binary(3)", []byte{1, 0xAB, 0}, []byte{0, 0, 0}, "0x01AB00", "0x000000"},
	{"varbinary(10)", []byte{0xFF}, []byte{}, "0xFF", "0x"},
	{"varbinary(max)", []byte(strings.Repeat("\x01", 10_000)), []byte{2}, "0x" + strings.Repeat("01", 10_000), "0x02"},
	{"image", []byte{1, 2}, []byte{3}, "0x0102", "0x03"},
	{"uniqueidentifier", guid, "FFFFFFFF-0000-0000-0000-000000000001", guid, "FFFFFFFF-0000-0000-0000-000000000001"},
	{"sql_variant", tdstest.Variant{Type: "int", Value: 5}, tdstest.Variant{Type: "nvarchar(20)", Value: "a,b"}, "5", `"a,b"`},
	{"sql_variant", tdstest.Variant{Type: "decimal(9,2)", Value: "12.50"}, tdstest.Variant{Type: "money", Value: "1.2500"}, "12.50", "1.2500"},
	{"sql_variant", tdstest.Variant{Type: "uniqueidentifier", Value: guid}, tdstest.Variant{Type: "varbinary(2)", Value: []byte("12")}, guid, "0x3132"},
	{"sql_variant", tdstest.Variant{Type: "date", Value: time.Date(2020, 2, 3, 0, 0, 0, 0, time.UTC)}, tdstest.Variant{Type: "datetime", Value: morning}, "2020-02-03", "2024-02-29 08:09:10"},
	{"sql_variant", tdstest.Variant{Type: "bit", Value: true}, tdstest.Variant{Type: "real", Value: float64(float32(0.1))}, "1", "0.1"},
}

func typesTable() table {
	b := table{
		name:       "Every Type",
		optional:   true,
		columns:    []tdstest.Column{{Name: "Id", Type: "int", NotNull: true}},
		rows:       [][]any{{1}, {2}, {3}},
		primaryKey: []string{"Id"},
		computed:   map[string]string{"double": "([Id] * 2)"},
	}
	for i, c := range everyType {
		b.columns = append(b.columns, tdstest.Column{Name: fmt.Sprintf("c%02d", i), Type: c.kind})
		b.rows[0], b.rows[1], b.rows[2] = append(b.rows[0], c.first), append(b.rows[1], c.other), append(b.rows[2], nil)
	}
	b.columns = append(b.columns, tdstest.Column{Name: "double", Type: "int", Computed: true}, tdstest.Column{Name: "stamp", Type: "rowversion"})
	for i := range b.rows {
		b.rows[i] = append(b.rows[i], 2*(i+1), nil)
	}
	return b
}
