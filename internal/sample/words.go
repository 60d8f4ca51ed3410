package sample

// The words that values are made of. Some hold what makes parsers stumble: commas, quotes, line ends, letters beyond
// ASCII.
var (
	firstNames = []string{
		"Emily", "Oliver", "Charlotte", "Noah", "Amelia", "Jack", "Isla", "William", "Mia", "Henry", "Grace", "Thomas",
		"Zoë", "Liam", "Chloé", "Aarav", "Mei", "Nguyễn Anh", "Siobhán", "Björn", "Fatima", "Mateo", "Ayesha", "Ewan",
	}
	lastNames = []string{
		"Smith", "Nguyen", "Jones", "Williams", "Brown", "O'Brien", "Taylor", "Singh", "Wilson", "D'Souza", "Martin", "Müller",
		"Anderson", "Thompson", "Patel", "White", "Chen", "McDonald", "Papadopoulos", "Lee", "Kowalski", "Robinson", "Åkesson", "Khan",
	}
	companyNames = []string{
		"Harbour", "Southern Cross", "Kookaburra", "Thames", "Blue Gum", "Pennine", "Jacaranda", "Albion", "Wattle", "Severn",
		"Murray River", "Highland", "Coral Sea", "Wessex", "Outback", "Bright & Early", "Cormorant", "Ironbark",
	}
	companyKinds   = []string{"Holdings Pty Ltd", "Properties Ltd", "Constructions Pty Ltd", "Trading, Inc.", "Nominees Pty Ltd", "Partners LLP", "Foods Ltd", "Logistics Pty Ltd"}
	streets        = []string{"George Street", "Collins Street", "Queen Street", "High Street", "Victoria Road", "Church Lane", "Station Road", "Bligh Street"}
	places         = []place{{"Sydney", "NSW", "2000", "Australia"}, {"Parramatta", "NSW", "2150", "Australia"}, {"Melbourne", "VIC", "3000", "Australia"}, {"Brisbane", "QLD", "4000", "Australia"}, {"Perth", "WA", "6000", "Australia"}, {"London", "Greater London", "EC2A 4NE", "United Kingdom"}, {"Leeds", "West Yorkshire", "LS1 4AP", "United Kingdom"}}
	officeNames    = []string{"Sydney", "London", "Melbourne", "Leeds", "Brisbane", "Perth"}
	positions      = []string{"Partner", "Senior Associate", "Associate", "Paralegal", "Solicitor", "Trainee"}
	matterKinds    = []string{"Residential conveyancing", "Commercial leasing", "Family law", "Wills and estates", "Litigation", "Employment", "Corporate", "Intellectual property"}
	matterTitles   = []string{"Purchase of ", "Sale of ", "Lease of ", "Dispute over ", "Estate of the owner of ", "Mortgage of ", "Subdivision of "}
	taskNames      = []string{"Attendance", "Drafting", "Research", "Telephone call", "Letter", "Court appearance", "Conference", "Perusal", "Travel", "File review"}
	workTitles     = []string{"Attending client by phone", "Drafting contract of sale", "Perusing lease", "Letter to the other side", "Conference with counsel", "Research on limitation periods", "Settling affidavit", "Preparing brief", "Attending settlement", "Reviewing disclosure, volume 2"}
	narratives     = []string{"", "", "", "As discussed", "Including the annexures, clauses 4 to 9", "Short notice", "With \"without prejudice\" correspondence", "Re: requisitions"}
	costs          = []string{"Title search", "Court filing fee", "Counsel's fees", "Courier", "Photocopies", "Barrister, opinion", "Travel", "Company search"}
	noteSubjects   = []string{"Call with client", "Meeting", "Settlement offer", "Next steps"}
	noteTexts      = []string{"Client wishes to settle early.", "Client said: \"not a dollar more\".\nTo call back on Monday.", "Naïve offer of the other side; reject, politely.", "Send the contract, the plan and the searches,\nthen diarise for two weeks.\n\nCosts agreement is signed."}
	partyRoles     = []string{"OpposingParty", "OpposingSolicitor", "Counsel", "Witness", "Expert", "Insurer", "Beneficiary", "Other"}
	payments       = []string{"BankTransfer", "BankTransfer", "Cheque", "Card", "DirectDebit"}
	ledgerTexts    = []string{"Rent for the month", "Wages", "Depreciation", "Subscription, online library", "Stationery", "Bank charges"}
	ledgerAccounts = []string{"6000", "6010", "6100", "6200", "6300", "6400", "6500", "6600"}
	debitAccounts  = []string{"1010", "1020", "1150", "1170", "1190", "1500"} // of the balance sheet, debtors left out
	creditAccounts = []string{"1510", "2100", "2200", "2300", "2500", "3000"}
	extraMoney     = [][3]string{{"CAD", "Canadian dollar", "$"}, {"SGD", "Singapore dollar", "$"}, {"JPY", "Yen", "¥"}}
)

type place struct{ city, state, code, country string }
