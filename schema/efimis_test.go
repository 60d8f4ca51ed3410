package schema_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dropline/schema"

	"github.com/google/go-cmp/cmp"
)

func TestEfimisTables(t *testing.T) {
	t.Parallel()
	want := strings.Fields(`Office Employee TaxCode Currency Journal Account MatterType TaskType
		Contact ContactAddress ContactPoint Client Supplier
		Matter MatterParty MatterRate MatterNote
		WorkItem Disbursement
		Invoice InvoiceLine Receipt ReceiptAllocation CreditNote
		BankAccount TrustTransaction LedgerEntry LedgerLine OpeningBalance`)
	s := schema.Efimis10()
	if s.ID() != "efimis-1.0" || s.FileStem() != "Efimis-1.0" || len(s.Tables) != len(want) {
		t.Errorf("%s has %d tables, want %d", s.ID(), len(s.Tables), len(want))
	}
	for _, name := range want {
		if s.Table(name) == nil {
			t.Errorf("there is no table %s", name)
		}
	}
}

// TestEfimisRequired is the list that a client has to fill. A longer one shuts out exports that could be mapped.
func TestEfimisRequired(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"Currency": "Code Name", "Office": "Name", "Employee": "SortName", "Journal": "Name Type",
		"Account": "Name Type AccountCategory", "TaxCode": "Code Rate", "MatterType": "Name", "TaskType": "Name",
		"Contact": "Type", "ContactAddress": "ContactId", "ContactPoint": "ContactId Type Value", "Client": "ContactId",
		"Supplier": "Name", "Matter": "Number Title ClientId", "MatterParty": "MatterId ContactId Role",
		"MatterRate": "MatterId Rate", "MatterNote": "MatterId Text",
		"WorkItem":     "EntryDate MatterId EmployeeId Total",
		"Disbursement": "EntryDate MatterId DisbursementType Total",
		"Invoice":      "InvoiceDate Total", "InvoiceLine": "InvoiceId", "BankAccount": "Name Type",
		"Receipt": "ReceiptDate Amount", "ReceiptAllocation": "ReceiptId InvoiceId Amount",
		"CreditNote": "CreditNoteDate Total", "TrustTransaction": "TransactionDate TransactionType MatterId Amount",
		"LedgerEntry": "EntryDate", "LedgerLine": "LedgerEntryId AccountId", "OpeningBalance": "BalanceDate AccountId",
	}
	got := map[string]string{}
	for _, table := range schema.Efimis10().Tables {
		key := table.Columns[0]
		if key != table.Key || key.Name != "ImportId" || !key.Required || key.Kind != schema.Text || key.Length != 100 {
			t.Errorf("%s: the key is %+v", table.Name, key)
		}
		var names []string
		for i, c := range table.Columns {
			if c.Index != i {
				t.Errorf("%s.%s has index %d, not %d", table.Name, c.Name, c.Index, i)
			}
			if c.Required && c != key {
				names = append(names, c.Name)
			}
		}
		got[table.Name] = strings.Join(names, " ")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestEfimisAsPublished holds what is published against the definition.
func TestEfimisAsPublished(t *testing.T) {
	t.Parallel()
	s := schema.Efimis10()
	account := []string{}
	for _, c := range s.Table("Account").Columns[1:] {
		if !strings.HasPrefix(c.Name, "Created") && !strings.HasPrefix(c.Name, "Updated") {
			account = append(account, c.Name)
		}
	}
	want := strings.Fields(`Name Description JournalId ParentAccountId Type AccountRoles AccountCategory AccountCode BankName BankBSB
		BankAccountNumber TaxCode Currency Balance`)
	if diff := cmp.Diff(want, account); diff != "" {
		t.Error(diff)
	}
	for name, members := range map[string]string{
		"AccountCategory": "Asset Liability Equity Revenue Expense",
		"AccountRole": `Unallocated UnbankedFunds AccountsReceivable DebtorsAdjustment AccountsPayable CreditorsAdjustment
			SupplierPrepayments SupplierCredits Disbursement DisbursementRecovered AnticipatedDisbursement
			AnticipatedDisbursementRecovered ClientFunds CreditNotes TaxCollected TaxPaid CmaControl`,
		"DisbursementType": "CostRecovery Anticipated Incurred GeneralLedger",
	} {
		var got []string
		for _, e := range s.Enums {
			for i, v := range e.Values {
				if int(v.Number) != i {
					t.Errorf("%s.%s has the number %d", e.Name, v.Name, v.Number)
				}
				if e.Name == name {
					got = append(got, v.Name)
				}
			}
		}
		if diff := cmp.Diff(strings.Fields(members), got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestEfimisPrecision(t *testing.T) {
	t.Parallel()
	for _, table := range schema.Efimis10().Tables {
		for _, c := range table.Columns {
			if c.Kind != schema.Decimal {
				continue
			}
			want := "decimal(19,4)"
			switch {
			case c.Name == "Units" || c.Name == "Quantity":
				want = "decimal(18,4)"
			case c.Name == "ExchangeRate":
				want = "decimal(18,8)"
			case table.Name == "TaxCode":
				want = "decimal(9,6)"
			}
			if c.TypeName() != want {
				t.Errorf("%s.%s is %s, want %s", table.Name, c.Name, c.TypeName(), want)
			}
		}
	}
}

func TestEfimisParentsFirst(t *testing.T) {
	t.Parallel()
	seen := map[*schema.Table]bool{}
	for _, table := range schema.Efimis10().Tables {
		for _, c := range table.Columns {
			if c.References != nil && c.References != table && !seen[c.References] {
				t.Errorf("%s comes before %s, to which %s refers", table.Name, c.References.Name, c.Name)
			}
		}
		seen[table] = true
	}
}

// TestEfimisWorkItem: a benchmark counts on its references, and on nothing in production being looked up by its columns.
func TestEfimisWorkItem(t *testing.T) {
	t.Parallel()
	table := schema.Efimis10().Table("WorkItem")
	var references []string
	for _, c := range table.Columns {
		if c.Kind == schema.Reference {
			references = append(references, c.References.Name)
		}
	}
	if diff := cmp.Diff([]string{"Matter", "Employee", "TaskType"}, references); diff != "" {
		t.Error(diff)
	}
	if ddl := table.ProductionDDL("p"); len(ddl) != 1 {
		t.Errorf("further statements: %v", ddl[1:])
	}
}

func TestEfimisSeeds(t *testing.T) {
	t.Parallel()
	account := schema.Efimis10().Table("Account")
	if len(account.Seeds) < 20 {
		t.Errorf("a chart of %d accounts", len(account.Seeds))
	}
	role, roles := account.Column("AccountRoles").Index, map[string]int{}
	for _, seed := range account.Seeds {
		if seed[role] != nil {
			roles[*seed[role]]++
		}
	}
	for _, v := range account.Column("AccountRoles").Enum.Values {
		if roles[v.Name] != 1 {
			t.Errorf("%d seed accounts have the role %s", roles[v.Name], v.Name)
		}
	}
}

func TestEfimisFileNames(t *testing.T) {
	t.Parallel()
	s := schema.Efimis10()
	for name, want := range map[string]string{
		"Matters": "Matter", "time_entries": "WorkItem", "Time Entries": "WorkItem", "WORKITEMS": "WorkItem", "currencies": "Currency",
		"Offices": "Office", "MatterParties": "MatterParty", "ledger-entries": "LedgerEntry", "ContactAddresses": "ContactAddress",
		"tax codes": "TaxCode", "Fee Earners": "Employee", "customers": "Client", "invoice_lines": "InvoiceLine",
	} {
		var got []string
		for _, table := range s.Tables {
			for _, n := range table.MatchNames() {
				if n == schema.NormalizeName(name) {
					got = append(got, table.Name)
				}
			}
		}
		if diff := cmp.Diff([]string{want}, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestCatalogue(t *testing.T) {
	t.Parallel()
	c := schema.NewCatalogue()
	for _, id := range []string{"efimis-1.0", "Efimis-1.0", "EFIMIS-1.0"} {
		if s, ok := c.Lookup(id); !ok || s != schema.Efimis10() {
			t.Errorf("%s is not found", id)
		}
	}
	if _, ok := c.Lookup("efimis-2.0"); ok {
		t.Error("found what is not there")
	}
	path := filepath.Join(t.TempDir(), "shop.yaml")
	if err := os.WriteFile(path, []byte(minimal), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := c.LoadFile(path); err != nil {
		t.Fatal(err)
	}
	if _, ok := c.Lookup("SHOP-2.1"); !ok || len(c.All()) != len(schema.Builtin())+1 {
		t.Error("the loaded schema is not found")
	}
	if _, err := c.LoadFile(path); err == nil || !strings.Contains(err.Error(), "shop-2.1 is there already") {
		t.Errorf("loaded twice: %v", err)
	}
	if err := os.WriteFile(path, []byte("schema: x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := c.LoadFile(path); err == nil || !strings.HasPrefix(err.Error(), path+":1: ") {
		t.Errorf("a faulty file: %v", err)
	}
	if _, err := c.LoadFile(path + ".nothing"); err == nil {
		t.Error("loaded a file that is not there")
	}
}
