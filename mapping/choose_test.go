package mapping_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"dropline/mapping"
)

// candidates reads "schema.name" and "view schema.name". A name may have points, a schema not.
func candidates(list ...string) []mapping.Candidate {
	var out []mapping.Candidate
	for _, text := range list {
		text, isView := strings.CutPrefix(text, "view ")
		schemaName, name, _ := strings.Cut(text, ".")
		out = append(out, mapping.Candidate{Schema: schemaName, Name: name, View: isView})
	}
	return out
}

// outcomeOf writes a choice down: what is read as what, what is refused, how many are ignored and missing.
func outcomeOf(c mapping.Choice) string {
	var parts []string
	for _, r := range c.Read {
		from := r.Schema + "/" + r.View
		if r.Query != "" {
			from = "query"
		}
		parts = append(parts, fmt.Sprintf("%s(%s)=%s", r.Name, from, r.Table.Name))
	}
	for _, r := range c.Refused {
		parts = append(parts, "refused "+r.Name)
	}
	if len(c.Ignored) > 0 {
		parts = append(parts, "ignored "+strings.Join(c.Ignored, ","))
	}
	if len(c.Missing) > 0 {
		parts = append(parts, "missing "+strings.Join(c.Missing, ","))
	}
	return strings.Join(parts, "; ")
}

const (
	withEntry = `
version: 1
database:
  - {view: reporting.vOrders, table: Order}
`
	withQuery = `
version: 1
database:
  - {query: "SELECT * FROM a", name: "old", table: Order}
  - {view: dbo.more, table: Order}
`
	withSkips = `
version: 1
database:
  - skip: dbo.Order
  - skip: "[client list]"
  - skip: nothing
`
	withFiles = `
version: 1
files:
  - {pattern: "Bestell*.csv", table: Order}
  - {pattern: "*order*.csv", table: Order}
  - {pattern: "in/cust*.csv", table: Order}
  - {pattern: "**/clients.csv", table: Customer}
  - {pattern: "*line*", delimiter: ";"}
`
)

func TestChoose(t *testing.T) {
	t.Parallel()
	s := testSchema(t)
	for _, c := range []struct {
		mapping string
		found   string
		want    string
		note    string // a piece of the notes or of a refusal's message
	}{
		// By name alone.
		{found: "", want: "missing Customer,Order,OrderLine"},
		{found: "dbo.Customer|dbo.Order|dbo.OrderLine", want: "dbo.Customer(dbo/Customer)=Customer; dbo.Order(dbo/Order)=Order; dbo.OrderLine(dbo/OrderLine)=OrderLine"},
		{found: "sales.Orders", want: "sales.Orders(sales/Orders)=Order; missing Customer,OrderLine"},
		{found: "dbo.order_line", want: "dbo.order_line(dbo/order_line)=OrderLine; missing Customer,Order"},
		{found: "dbo.ORDER LINES", want: "dbo.[ORDER LINES](dbo/ORDER LINES)=OrderLine; missing Customer,Order"},
		{found: "dbo.Client List", want: "dbo.[Client List](dbo/Client List)=Customer; missing Order,OrderLine"},
		{found: "dbo.tblCustomer", want: "dbo.tblCustomer(dbo/tblCustomer)=Customer; missing Order,OrderLine"},
		{found: "dbo.Products|dbo.Stock", want: "ignored dbo.Products,dbo.Stock; missing Customer,Order,OrderLine"},
		{found: "dbo.CustomerOrders", want: "ignored dbo.CustomerOrders; missing Customer,Order,OrderLine", note: "dbo.CustomerOrders (Customer or Order)"},
		{found: "dbo.Orders.csv", want: "dbo.[Orders.csv](dbo/Orders.csv)=Order; missing Customer,OrderLine"},
		{found: "x y.Order]s", want: "[x y].[Order]]s](x y/Order]s)=Order; missing Customer,OrderLine"},
		// Several of one table.
		{found: "dbo.Orders|dbo.Order", want: "dbo.Order(dbo/Order)=Order; missing Customer,OrderLine", note: "Order is read from dbo.Order, not from dbo.Orders"},
		{found: "sales.Order|dbo.Orders", want: "sales.Order(sales/Order)=Order; missing Customer,OrderLine"},
		{found: "sales.Order|dbo.Order", want: "dbo.Order(dbo/Order)=Order; missing Customer,OrderLine"},
		{found: "sales.Order|DBO.ORDER", want: "DBO.ORDER(DBO/ORDER)=Order; missing Customer,OrderLine"},
		{found: "sales.Order|old.Order", want: "refused old.Order, sales.Order; missing Customer,OrderLine", note: "several relations that could be Order: old.Order, sales.Order"},
		{found: "dbo.OrderArchive|dbo.OrderNotes", want: "refused dbo.OrderArchive, dbo.OrderNotes; missing Customer,OrderLine"},
		{found: "dbo.OrderArchive|dbo.OrderNotes|dbo.orders", want: "dbo.orders(dbo/orders)=Order; missing Customer,OrderLine"},
		{found: "dbo.Customers|dbo.client list", want: "refused dbo.Customers, dbo.[client list]; missing Order,OrderLine"},
		{found: "view dbo.Order|dbo.Orders", want: "dbo.Orders(dbo/Orders)=Order; missing Customer,OrderLine"},
		{found: "view dbo.Order|dbo.OrderNotes", want: "dbo.Order(dbo/Order)=Order; missing Customer,OrderLine"},
		{found: "view etl.Order|sales.Order", want: "sales.Order(sales/Order)=Order; missing Customer,OrderLine"},
		{found: "view etl.Order", want: "etl.Order(etl/Order)=Order; missing Customer,OrderLine"},
		{found: "dbo.Order|dbo.ORDER", want: "dbo.Order(dbo/Order)=Order; missing Customer,OrderLine"},
		{found: "dbo.oRDER|dbo.ORDER", want: "refused dbo.ORDER, dbo.oRDER; missing Customer,OrderLine"},
		{found: "dbo.Order|dbo.Order|view dbo.Order", want: "dbo.Order(dbo/Order)=Order; missing Customer,OrderLine"},
		// Entries.
		{mapping: withEntry, found: "reporting.vOrders|dbo.Order", want: "reporting.vOrders(reporting/vOrders)=Order; missing Customer,OrderLine", note: "not read: dbo.Order. The mapping's database says where Order comes from"},
		{mapping: withEntry, found: "Reporting.VORDERS", want: "reporting.vOrders(Reporting/VORDERS)=Order; missing Customer,OrderLine"},
		{mapping: withEntry, found: "reporting.vOrders|reporting.VOrders", want: "reporting.vOrders(reporting/vOrders)=Order; missing Customer,OrderLine", note: "not read: reporting.VOrders"},
		{mapping: withEntry, found: "reporting.VOrders|reporting.VORDERS", want: "refused reporting.vOrders; ignored reporting.VORDERS; missing Customer,OrderLine", note: "could be reporting.VORDERS or reporting.VOrders"},
		{mapping: withEntry, found: "reporting.vOrder", want: "refused reporting.vOrders; missing Customer,OrderLine", note: "which line 4 of the mapping reads into Order: did you mean reporting.vOrder?"},
		{mapping: withEntry, found: "dbo.Order", want: "refused reporting.vOrders; missing Customer,OrderLine"},
		{mapping: strings.ReplaceAll(withEntry, "reporting.", ""), found: "a.vOrders|dbo.vOrders", want: "vOrders(dbo/vOrders)=Order; missing Customer,OrderLine"},
		{mapping: strings.ReplaceAll(withEntry, "reporting.", ""), found: "a.vOrders|b.vOrders", want: "refused vOrders; missing Customer,OrderLine", note: "say which with its schema"},
		{mapping: withEntry + "  - {view: vOrders, table: Order}\n", found: "reporting.vOrders", want: "reporting.vOrders(reporting/vOrders)=Order; refused vOrders; missing Customer,OrderLine", note: "twice, by lines 4 and 5"},
		{mapping: withEntry + "  - {view: reporting.vOrders, name: again, table: OrderLine}\n", found: "reporting.vOrders", want: "reporting.vOrders(reporting/vOrders)=Order; again(reporting/vOrders)=OrderLine; missing Customer"},
		{mapping: withQuery, found: "dbo.More|dbo.Order", want: "old(query)=Order; dbo.more(dbo/More)=Order; missing Customer,OrderLine"},
		{mapping: withQuery, found: "dbo.More|.old|.Customer", want: "old(query)=Order; dbo.more(dbo/More)=Order; Customer(/Customer)=Customer; ignored old; missing OrderLine"},
		{mapping: strings.Replace(withQuery, `"old"`, "Customer", 1), found: "dbo.more|.Customer", want: "Customer(query)=Order; dbo.more(dbo/more)=Order; refused Customer; missing OrderLine", note: "has the name of the entry in line 4"},
		// Skips.
		{mapping: withSkips, found: "dbo.ORDER|a.Order|b.Client List|dbo.client list", want: "a.Order(a/Order)=Order; missing Customer,OrderLine", note: "no nothing, which line 6 of the mapping skips"},
		// Rules for files.
		{mapping: withFiles, found: "dbo.Bestellungen|dbo.Order", want: "dbo.Order(dbo/Order)=Order; missing Customer,OrderLine"},
		{mapping: withFiles, found: "dbo.Bestellungen|view dbo.Order", want: "dbo.Bestellungen(dbo/Bestellungen)=Order; missing Customer,OrderLine"},
		{mapping: withFiles, found: "dbo.Bestellt|dbo.Bestellung", want: "refused dbo.Bestellt, dbo.Bestellung; missing Customer,OrderLine"},
		{mapping: withFiles, found: "dbo.OrderLine", want: "dbo.OrderLine(dbo/OrderLine)=Order; missing Customer,OrderLine"},
		{mapping: withFiles, found: "dbo.Custom|dbo.Clients", want: "dbo.Clients(dbo/Clients)=Customer; ignored dbo.Custom; missing Order,OrderLine"},
		{mapping: withFiles, found: "dbo.in/custom", want: "ignored dbo.[in/custom]; missing Customer,Order,OrderLine"},
		// Hostile names.
		{found: "dbo.Order\x00|dbo.Order\u202e|a\n.Order|dbo.", want: "ignored dbo.[Order\ufffd],dbo.[Order\ufffd],[a\ufffd].Order,dbo.[]; missing Customer,Order,OrderLine"},
		{found: "dbo." + strings.Repeat("Order", 30), want: "ignored dbo." + strings.Repeat("Order", 11) + "O…; missing Customer,Order,OrderLine"},
		{found: "dbo.Order\xff", want: "ignored dbo.[Order\ufffd]; missing Customer,Order,OrderLine"},
	} {
		m := newMapper(t, s, c.mapping, mapping.Options{})
		var found []mapping.Candidate
		if c.found != "" {
			found = candidates(strings.Split(c.found, "|")...)
		}
		got := m.Choose(found)
		if outcomeOf(got) != c.want {
			t.Errorf("%s\n%q\n\tis  %s\n\tnot %s", c.mapping, c.found, outcomeOf(got), c.want)
		}
		says := strings.Join(got.Notes, "\n")
		for _, r := range got.Refused {
			says += "\n" + r.Message
			if r.Code != "unknown_table" {
				t.Errorf("%q is refused for %s", r.Name, r.Code)
			}
		}
		if !strings.Contains(says, c.note) {
			t.Errorf("%q: %q is not said in\n%s", c.found, c.note, says)
		}
		if again := m.Choose(reversed(found)); !strings.HasPrefix(c.want, "ignored") && outcomeOf(again) != outcomeOf(got) {
			t.Errorf("%q: in another order %s, not %s", c.found, outcomeOf(again), outcomeOf(got))
		}
	}
}

func reversed(list []mapping.Candidate) []mapping.Candidate {
	out := slices.Clone(list)
	slices.Reverse(out)
	return out
}

// TestChooseFromMany bounds what a database of very many relations, with names of a hostile server, comes to.
func TestChooseFromMany(t *testing.T) {
	t.Parallel()
	const relations, ignoredWords = 60_000, 20
	text := "version: 1\ndatabase:\n"
	for i := range 100 {
		text += fmt.Sprintf("  - {view: dbo.view%d, table: Order}\n", i)
	}
	m := newMapper(t, testSchema(t), text, mapping.Options{})
	random := rand.New(rand.NewPCG(1, 2))
	var found []mapping.Candidate
	for i := range relations {
		name := strings.Repeat("CustomerOrder", i%10) + fmt.Sprint(i)
		for range i % ignoredWords {
			name += string(rune(random.IntN(0x3000)))
		}
		found = append(found, mapping.Candidate{Schema: fmt.Sprintf("s%d", i%7), Name: name})
	}
	c := m.Choose(found)
	if len(c.Ignored) != mapping.MaxIgnored+1 || !strings.HasPrefix(c.Ignored[mapping.MaxIgnored], "and ") {
		t.Errorf("%d are named as ignored", len(c.Ignored))
	}
	if len(c.Refused) != 100 || len(c.Notes) > 10 {
		t.Errorf("%d are refused, with %d notes", len(c.Refused), len(c.Notes))
	}
	all := append(slices.Clone(c.Ignored), c.Notes...)
	for _, r := range c.Refused {
		all = append(all, r.Name, r.Message)
	}
	const most = 3000
	for _, said := range all {
		if len(said) > most || !utf8.ValidString(said) || strings.ContainsAny(said, "\x00\n\u202e") {
			t.Fatalf("%.200q, of %d bytes, is not for people", said, len(said))
		}
	}
}
