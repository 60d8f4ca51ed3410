package schema

import "slices"

// SourceColumn is the staging column that tells where a row came from, packed into one value: what eight columns would hold
// costs a fifth of the loading's time, and only rejects and people ask for it. Package loader/staging packs it.
const SourceColumn = "_source"

// StagingColumns are the columns of the table's staging tables in the order in which rows are copied in. Most of a load's
// time is PostgreSQL's and grows with the bytes of a row, so they are narrow: ids and references are the sixteen bytes
// behind a production id's prefix, and columns of fixed width come first, the widest before, so that nothing is spent on
// alignment. Nothing is declared not null: what is required has been verified before a row gets here.
func (t *Table) StagingColumns() []DBColumn {
	columns := make([]DBColumn, 0, len(t.Columns)+3)
	for _, c := range t.Columns {
		columns = append(columns, DBColumn{Name: c.SQLName, Type: c.stagingType(), Column: c})
	}
	columns = append(columns, DBColumn{Name: "id", Type: uuidType}, DBColumn{Name: DigestColumn, Type: uuidType})
	slices.SortStableFunc(columns, func(a, b DBColumn) int { return stagingRank(a) - stagingRank(b) })
	return append(columns, DBColumn{Name: SourceColumn, Type: "bytea"})
}

const uuidType = "uuid"

func (c *Column) stagingType() string {
	if c.Kind == Reference {
		return uuidType
	}
	if c.IsReferenceList() {
		return uuidType + "[]"
	}
	return c.PostgresType()
}

// stagingRank orders columns by the alignment that PostgreSQL gives their types.
func stagingRank(c DBColumn) int {
	if c.Column == nil || c.Column.Kind == Reference {
		return 4
	}
	switch c.Column.Kind {
	case Timestamp, BigInt:
		return 0
	case Date, Integer:
		return 1
	case Enumerate:
		return 2
	case Boolean:
		return 3
	case Reference, Text, List, Decimal:
	}
	return 5
}

// StagedID renders, in SQL, the production id of which a staging column holds the digits. The prefix is the table's.
func StagedID(prefix, column string) string {
	return "(" + quoteLiteral(prefix+"_") + " || encode(uuid_send(" + column + "), 'hex'))"
}
