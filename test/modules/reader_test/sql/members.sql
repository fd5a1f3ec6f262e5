-- order, casing, unknown members, missing members, null
SELECT * FROM reads('{InvoiceID:text,Total:numeric}',
 '{"Rows":[{"InvoiceID":"a","Total":1.50},
           {"Total":2,"Unknown":{"InvoiceID":"no","x":[1,{"Total":9}]},"InvoiceID":"b"},
           {"invoiceid":"c","TOTAL":3.0,"InvoiceIDs":"no","InvoiceI":"no"},
           {"InvoiceID":"d"},
           {"InvoiceID":null,"Total":null},
           {}]}');
-- duplicates: the last one counts
SELECT * FROM reads('{ID:text,C.ID:text}',
 '{"Rows":[{"ID":"no","id":"yes","C":{"ID":"no"},"C":{"ID":"yes"}},
           {"ID":"no","ID":null,"C":{"ID":"no"},"C":{}},
           {"C":{"ID":"no"},"c":null},
           {"C":{"ID":"no"},"C":[]},
           {"C":{"ID":"no","ID":"yes"}}]}');
-- nested paths; a path through null, an array or a scalar; prefixes; the same twice
SELECT * FROM reads('{Contact.ContactID:text,Contact.Name:text,Contact:jsonb,Contact.A.B.C:int,Contact.A.B:json,Contact.Name:varchar}',
 '{"Rows":[{"Contact":{"Name":"n","Name2":1,"ContactID":"c","A":{"B":{"C": 5}}}},
           {"Contact":null},{"Contact":[]},{"Contact":[{"ContactID":"no"}]},
           {"Contact":"x"},{"Contact":7},
           {"ContactID":"no","contact":{"contactid":"C"}},
           {"Contact":{"A":{"B":null}}},{"Contact":{"A":[{"B":{"C":1}}]}}]}');
-- nothing of a row stays for the next
SELECT * FROM reads('{A:text,B.C:text}', '{"Rows":[{"A":"1","B":{"C":"2"}},{},{"A":"3"}]}');
-- no field at all
SELECT count(*) FROM reads('{}', '{"Rows":[{"A":1},{"A":2}]}');

-- child rows: the parent's members before and behind the array
SELECT * FROM reads_lines('{LineID:text,^ID:text,Amount:numeric,^C.Name:text,^Lines:jsonb}',
 '{"Rows":[{"ID":"p1","Lines":[{"LineID":"a","Amount":1.00},{"Amount":2,"LineID":"b","ID":"no"}],"C":{"Name":"n1"}},
           {"Lines":[{"LineID":"c"}],"ID":"p2"},
           {"ID":"p3","Lines":[]},{"ID":"p4","Lines":null},{"ID":"p5"},
           {"ID":"p6","lines":{"LineID":"d"}},
           {"ID":"p7","X":{"Lines":[{"LineID":"no"}]}},
           {"ID":"p8","Lines":[{"LineID":"no"}],"Lines":[{"LineID":"e"}]}]}');
SELECT reader_info('Rows', 'Lines', '{"Rows":[{"Lines":[{},{}]},{},{"Lines":[{}]}]}');
SELECT * FROM reads_lines('{LineID:text}', '{"Rows":[{"Lines":[{"LineID":"a"},7]}]}');
SELECT * FROM reads_lines('{LineID:text}', '{"Rows":[{"Lines":"x"}]}');
