package staging_test

import (
	"strings"
	"testing"

	"dropline/schema"
)

// probeYAML is a definition with every kind of column and check, references in circles and to the table itself.
const probeYAML = `
schema: Probe
version: "1.0"
enums:
  - name: Colour
    values:
      - {number: 0, name: Red}
      - {number: 1, name: Green}
tables:
  - name: Owner
    key: ImportId
    columns:
      - {name: ImportId, type: text(100), required: true}
      - {name: BossId, type: reference(Node)}
  - name: Node
    key: ImportId
    columns:
      - {name: ImportId, type: text(100), required: true}
      - {name: NextId, type: reference(Node)}
      - {name: OwnerId, type: reference(Owner)}
      - {name: Weight, type: integer}
    checks:
      - {name: node_weight, severity: error, column: Weight, message: Weight must not be negative., holds: Weight >= 0}
      - {name: node_heavy, severity: warning, column: Weight, message: That is heavy., holds: Weight < 100}
  - name: Entry
    key: ImportId
    columns:
      - {name: ImportId, type: text(100), required: true}
      - {name: Number, type: text(20)}
      - {name: Total, type: "decimal(19,4)"}
    unique: [[Number]]
    checks:
      - {name: entry_balances, severity: error, column: Total, message: The lines must balance., sum: Amount, of: Line, by: EntryId, is: "=", to: "coalesce(Total, 0)"}
  - name: Line
    key: ImportId
    columns:
      - {name: ImportId, type: text(100), required: true}
      - {name: EntryId, type: reference(Entry), required: true}
      - {name: NodeId, type: reference(Node)}
      - {name: Amount, type: "decimal(19,4)"}
  - name: Move
    key: ImportId
    columns:
      - {name: ImportId, type: text(100), required: true}
      - {name: NodeId, type: reference(Node), required: true}
      - {name: MovedOn, type: date, required: true}
      - {name: Amount, type: "decimal(19,4)", required: true}
    checks:
      - {name: move_not_negative, severity: error, column: Amount, message: The balance falls below zero., running: Amount, by: NodeId, order: [MovedOn]}
  - name: Bill
    key: ImportId
    columns:
      - {name: ImportId, type: text(100), required: true}
      - {name: Total, type: "decimal(19,4)", required: true}
    checks:
      - {name: bill_adds_up, severity: error, column: Total, message: The items must add up., sum: Amount, of: Item, by: BillId, is: "=", to: Total, skip_empty: true}
      - {name: bill_small, severity: warning, column: Total, message: The items come to much., sum: Amount, of: Item, by: BillId, is: "<=", to: "1000"}
      - {name: bill_not_over_refunded, severity: error, column: Total, message: More was refunded than billed., sum: Amount, of: Refund, by: BillId, is: "<=", to: Total, skip_empty: true}
      - {name: bill_of_something, severity: warning, column: Total, message: The items come to little., sum: Amount, of: Item, by: BillId, is: ">=", to: "0.01", skip_empty: true}
  - name: Item
    key: ImportId
    columns:
      - {name: ImportId, type: text(100), required: true}
      - {name: BillId, type: reference(Bill), required: true}
      - {name: NodeId, type: reference(Node)}
      - {name: Amount, type: "decimal(19,4)"}
  - name: Refund
    key: ImportId
    columns:
      - {name: ImportId, type: text(100), required: true}
      - {name: BillId, type: reference(Bill), required: true}
      - {name: Amount, type: "decimal(19,4)"}
  - name: Sort
    key: ImportId
    columns:
      - {name: ImportId, type: text(100), required: true}
      - {name: Bounded, type: text(20)}
      - {name: Unbounded, type: text}
      - {name: Small, type: integer}
      - {name: Big, type: bigint}
      - {name: Money, type: "decimal(19,4)"}
      - {name: Whole, type: "decimal(38,0)"}
      - {name: Part, type: "decimal(9,9)"}
      - {name: Wide, type: "decimal(38,19)"}
      - {name: Flag, type: boolean}
      - {name: Day, type: date}
      - {name: Moment, type: timestamp}
      - {name: Colour, type: enum(Colour)}
      - {name: NodeId, type: reference(Node)}
`

func probe(t testing.TB) *schema.Schema {
	t.Helper()
	def, err := schema.Parse("probe.yaml", strings.NewReader(probeYAML))
	if err != nil {
		t.Fatal(err)
	}
	return def
}
