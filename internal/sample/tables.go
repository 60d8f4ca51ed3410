package sample

// table numbers the tables of the export, parents before children.
type table int

const (
	currency table = iota
	office
	employee
	journal
	account
	taxCode
	matterType
	taskType
	contact
	contactAddress
	contactPoint
	client
	supplier
	matter
	matterParty
	matterRate
	matterNote
	workItem
	disbursement
	invoice
	invoiceLine
	bankAccount
	receipt
	receiptAllocation
	creditNote
	trustTransaction
	ledgerEntry
	ledgerLine
	openingBalance
	tableCount
)

// spec says how a table is made.
type spec struct {
	name    string
	base    int  // rows at scale 1, seed rows not counted
	grows   bool // with the scale
	columns []string
	row     func(p *plan, i int64, r *record)
	// spare reports whether no other row and no sum depends on row i, so that it can be spoiled. Nil: none can be.
	spare func(p *plan, i int64) bool
	// breaks are values that a declared check of the table refuses.
	breaks []violation
}

// violation is a value that makes a row fail one declared check and nothing else.
type violation struct {
	column, value, code string
}

func always(*plan, int64) bool { return true }

// audit is the columns that every table ends with.
func audit(columns ...string) []string {
	return append(columns, "CreatedBy", "CreatedOn", "UpdatedBy", "UpdatedOn")
}

// specs is in the order of the tables' numbers.
var specs = [tableCount]spec{
	currency: {
		name: "Currency", base: 3, row: currencyRow,
		columns: []string{"ImportId", "Code", "Name", "Symbol", "DecimalPlaces"},
	},
	office: {
		name: "Office", base: 2, row: officeRow,
		columns: []string{"ImportId", "Name", "Code", "AddressLine1", "City", "State", "PostCode", "Country", "Phone", "Email", "Currency", "IsActive"},
	},
	employee: {
		name: "Employee", base: 12, grows: true, row: employeeRow,
		columns: audit("ImportId", "SortName", "FirstName", "LastName", "Initials", "Title", "Role", "OfficeId", "ManagerId", "Email", "DefaultRate", "StartDate", "IsFeeEarner", "IsActive"),
	},
	journal: {
		name: "Journal", row: journalRow,
		columns: []string{"ImportId", "Name", "Type", "Code", "Description"},
	},
	account: {
		name: "Account", base: 3, row: accountRow,
		columns: []string{"ImportId", "Name", "JournalId", "ParentAccountId", "Type", "AccountRoles", "AccountCategory", "AccountCode", "TaxCode"},
	},
	taxCode: {
		name: "TaxCode", row: taxCodeRow,
		columns: []string{"ImportId", "Code", "Description", "Rate", "TaxCollectedAccountId", "TaxPaidAccountId"},
	},
	matterType: {
		name: "MatterType", base: 8, row: matterTypeRow,
		columns: []string{"ImportId", "Name", "Code", "IsActive"},
	},
	taskType: {
		name: "TaskType", base: 10, row: taskTypeRow,
		columns: []string{"ImportId", "Name", "Code", "ItemType", "DefaultRate", "UnitDuration", "TaxCode", "RevenueAccountId", "IsActive"},
	},
	contact: {
		name: "Contact", base: 160, grows: true, row: contactRow,
		columns: audit("ImportId", "Type", "Title", "FirstName", "LastName", "OrganisationName", "SortName", "DateOfBirth", "OrganisationId", "Email", "Phone", "Notes", "IsActive"),
	},
	contactAddress: {
		name: "ContactAddress", base: 160, grows: true, row: contactAddressRow, spare: always,
		columns: []string{"ImportId", "ContactId", "Type", "Line1", "Line2", "City", "State", "PostCode", "Country", "IsPrimary"},
	},
	contactPoint: {
		name: "ContactPoint", base: 280, grows: true, row: contactPointRow, spare: always,
		columns: []string{"ImportId", "ContactId", "Type", "Value", "Label", "IsPrimary"},
	},
	client: {
		name: "Client", base: 80, grows: true, row: clientRow,
		columns: audit("ImportId", "ContactId", "Number", "State", "OfficeId", "ResponsibleEmployeeId", "Currency", "PaymentTermDays", "CreditLimit", "OpenedDate"),
	},
	supplier: {
		name: "Supplier", base: 15, grows: true, row: supplierRow,
		columns: []string{"ImportId", "Name", "ContactId", "Number", "TaxNumber", "TaxCode", "AccountId", "PaymentTermDays", "BankBSB", "BankAccountNumber", "IsActive"},
	},
	matter: {
		name: "Matter", base: 100, grows: true, row: matterRow,
		columns: audit("ImportId", "Number", "Title", "ClientId", "MatterTypeId", "OfficeId", "ResponsibleEmployeeId", "ActingEmployeeId", "State", "BillingMethod", "FixedFee", "EstimatedFees", "OpenedDate", "ClosedDate", "Reference", "Description"),
	},
	matterParty: {
		name: "MatterParty", base: 150, grows: true, row: matterPartyRow, spare: always,
		columns: []string{"ImportId", "MatterId", "ContactId", "Role", "Reference", "Notes"},
	},
	matterRate: {
		name: "MatterRate", base: 50, grows: true, row: matterRateRow, spare: always,
		columns: []string{"ImportId", "MatterId", "EmployeeId", "TaskTypeId", "Rate", "EffectiveFrom", "EffectiveTo"},
		breaks:  []violation{{"Rate", "-350.00", "matter_rate_not_negative"}},
	},
	matterNote: {
		name: "MatterNote", base: 150, grows: true, row: matterNoteRow, spare: always,
		columns: audit("ImportId", "MatterId", "NoteDate", "EmployeeId", "Subject", "Text", "IsPrivate"),
	},
	workItem: {
		name: "WorkItem", base: 2000, grows: true, row: workItemRow, spare: workItemSpare,
		columns: audit("ImportId", "EntryDate", "MatterId", "EmployeeId", "State", "ItemType", "TaskTypeId", "Title", "Description", "Rate", "Units", "UnitDuration", "Total", "TaxCode", "TaxAmount", "IsBillable"),
		breaks: []violation{
			{"UnitDuration", "0", "work_item_unit_duration"},
			{"Units", "-3.0", "work_item_not_negative"},
		},
	},
	disbursement: {
		name: "Disbursement", base: 300, grows: true, row: disbursementRow, spare: disbursementSpare,
		columns: audit("ImportId", "EntryDate", "MatterId", "DisbursementType", "State", "EmployeeId", "SupplierId", "AccountId", "Title", "Description", "SupplierInvoiceNumber", "Quantity", "UnitPrice", "Total", "TaxCode", "TaxAmount", "IsPaid"),
		breaks:  []violation{{"Quantity", "-1", "disbursement_not_negative"}},
	},
	invoice: {
		name: "Invoice", base: 150, grows: true, row: invoiceRow,
		columns: audit("ImportId", "Number", "InvoiceDate", "DueDate", "MatterId", "ClientId", "EmployeeId", "State", "PeriodStart", "PeriodEnd", "FeesTotal", "DisbursementsTotal", "TaxTotal", "Total", "OutstandingAmount", "Currency", "Description"),
	},
	invoiceLine: {
		name: "InvoiceLine", base: 600, grows: true, row: invoiceLineRow,
		columns: []string{"ImportId", "InvoiceId", "LineNumber", "LineType", "WorkItemId", "DisbursementId", "AccountId", "Description", "Quantity", "UnitPrice", "TaxCode", "TaxAmount", "Total"},
	},
	bankAccount: {
		name: "BankAccount", base: 3, row: bankAccountRow,
		columns: []string{"ImportId", "Name", "Type", "AccountId", "OfficeId", "BankName", "BankBSB", "BankAccountNumber", "Currency", "IsActive"},
	},
	receipt: {
		name: "Receipt", base: 110, grows: true, row: receiptRow,
		columns: audit("ImportId", "Number", "ReceiptDate", "Amount", "ClientId", "MatterId", "BankAccountId", "Method", "PayerName", "Reference", "IsReversed"),
	},
	receiptAllocation: {
		name: "ReceiptAllocation", base: 110, grows: true, row: receiptAllocationRow, spare: always,
		columns: []string{"ImportId", "ReceiptId", "InvoiceId", "Amount", "AllocationDate"},
		breaks:  []violation{{"Amount", "-1.00", "receipt_allocation_positive"}},
	},
	creditNote: {
		name: "CreditNote", base: 8, grows: true, row: creditNoteRow, spare: always,
		columns: []string{"ImportId", "Number", "CreditNoteDate", "InvoiceId", "ClientId", "MatterId", "TaxCode", "TaxAmount", "Total", "Reason"},
		breaks:  []violation{{"TaxAmount", "-1.00", "credit_note_tax_in_range"}},
	},
	trustTransaction: {
		name: "TrustTransaction", base: 240, grows: true, row: trustTransactionRow,
		columns: audit("ImportId", "TransactionDate", "TransactionType", "MatterId", "Amount", "BankAccountId", "Number", "TransferFromId", "PartyName", "Method", "Purpose"),
	},
	ledgerEntry: {
		name: "LedgerEntry", base: 120, grows: true, row: ledgerEntryRow,
		columns: audit("ImportId", "EntryDate", "JournalId", "Number", "Description", "Reference", "State", "OfficeId"),
	},
	ledgerLine: {
		name: "LedgerLine", base: 300, grows: true, row: ledgerLineRow,
		columns: []string{"ImportId", "LedgerEntryId", "AccountId", "LineNumber", "Debit", "Credit", "TaxCode", "Description"},
	},
	openingBalance: {
		name: "OpeningBalance", base: 60, grows: true, row: openingBalanceRow, spare: always,
		columns: []string{"ImportId", "BalanceDate", "Type", "AccountId", "MatterId", "Debit", "Credit", "Description"},
	},
}

// prefixes begin the ImportIds, which are those of a system that numbers each table by itself. The tables with seed rows
// have their own below.
var prefixes = [tableCount]string{
	office: "OFF-", employee: "E-", matterType: "MT-", taskType: "TT-", contact: "C-", contactAddress: "CA-",
	contactPoint: "CP-", client: "CL-", supplier: "S-", matter: "M-", matterParty: "MP-", matterRate: "MR-", matterNote: "MN-",
	workItem: "W-", disbursement: "D-", invoice: "I-", invoiceLine: "IL-", bankAccount: "B-", receipt: "R-",
	receiptAllocation: "RA-", creditNote: "CN-", trustTransaction: "T-", ledgerEntry: "L-", ledgerLine: "LL-", openingBalance: "OB-",
	currency: "CUR-", journal: "J-", account: "A-", taxCode: "TAX-",
}

func appendID(b []byte, t table, i int64) []byte {
	return appendPadded(append(b, prefixes[t]...), i+1, 5)
}
