package staging

import (
	"fmt"
	"strconv"
	"strings"

	"dropline/ingest"
	"dropline/schema"
)

// seedInsert is the statement that puts one seed row into production unless its id is taken. Values come as text, which
// PostgreSQL converts: the definition has been verified to hold nothing else.
func seedInsert(n names, t *schema.Table) string {
	var columns, values []string
	add := func(name, dbType string) {
		columns = append(columns, schema.QuoteIdent(name))
		values = append(values, fmt.Sprintf("cast($%d::text as %s)", len(values)+1, dbType))
	}
	add("id", "text")
	for _, c := range t.Columns {
		add(c.SQLName, c.PostgresType())
	}
	add("_import", "text")
	now := len(values) + 1
	return fmt.Sprintf(
		"insert into %s (%s, _created_at, _updated_at) values (%s, $%d, $%d) on conflict (id) do nothing",
		n.live(t), strings.Join(columns, ", "), strings.Join(values, ", "), now, now,
	)
}

// seedArguments are the statement's arguments but for the import and the time: the id, then the columns.
func seedArguments(tenant ingest.TenantID, t *schema.Table, seed schema.Seed) ([]any, error) {
	args := []any{schema.ObjectID(string(tenant), t.Prefix, *seed[t.Key.Index])}
	for i, c := range t.Columns {
		if seed[i] == nil {
			args = append(args, nil)
			continue
		}
		text := *seed[i]
		switch c.Kind {
		case schema.Reference:
			if !schema.IsObjectID(c.References.Prefix, []byte(text)) {
				text = schema.ObjectID(string(tenant), c.References.Prefix, text)
			}
		case schema.Enumerate:
			number, ok := memberNumber(c.Enum, text)
			if !ok {
				return nil, ingest.Errorf(ingest.Internal, "staging.Provision", "seed %s of %s: %q is not in %s", *seed[0], t.Name, text, c.Enum.Name)
			}
			text = strconv.Itoa(int(number))
		case schema.Text, schema.Integer, schema.BigInt, schema.Decimal, schema.Boolean, schema.Date, schema.Timestamp, schema.List:
		}
		args = append(args, text)
	}
	return args, nil
}

func memberNumber(e *schema.Enum, text string) (int16, bool) {
	for _, v := range e.Values {
		if v.Name == text || strconv.Itoa(int(v.Number)) == text {
			return v.Number, true
		}
	}
	return 0, false
}
