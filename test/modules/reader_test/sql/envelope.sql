-- The records are the wrapper's, wherever it stands.
SELECT reader_info('Rows', NULL, '{"Id":"x","pagination":{"page":2,"pageSize":100,"pageCount":7,"itemCount":650},"Rows":[{},{}],"More":[{"Rows":[1]}]}');
SELECT reader_info('Rows', NULL, '{"Rows":[{}],"Pagination":{"ItemCount":"650","PageCount":7,"pagesize":100,"PAGE":1}}');
SELECT reader_info('Rows', NULL, '{"pagination":null,"ROWS":[]}');
SELECT reader_info('Rows', NULL, '{"pagination":{"page":-1,"pageSize":1e9999,"itemCount":99999999999999999999,"pageCount":null,"x":{}},"rows":null}');
SELECT reader_info(NULL, NULL, convert_to(E' \r\n[ {} ,\t{} ]\r\n', 'UTF8'));
SELECT reader_info(NULL, NULL, '[]');
SELECT reader_info(NULL, NULL, ' {"ID":"x"} ');
SELECT reader_info('Rows', NULL, '\xEFBBBF'::bytea || '{"Rows":[{}]}');
-- a single object instead of an array; and named in the singular
SELECT * FROM reads('{ID:text}', '{"Rows":{"ID":"one"}, "More":1}');
SELECT * FROM reads('{ID:text}', '{"row":{"ID":"one"}, "More":1}');
SELECT * FROM reads('{ID:text}', '{"row":{"ID":"no"}, "Rows":[{"ID":"yes"}]}');
-- faults of the envelope
SELECT fails('{}');
SELECT fails('{"row":[{"ID":"x"}]}');
SELECT fails('{"ID":"x","Other":[]}');
SELECT fails('{"Rows":"none"}');
SELECT fails('{"Rows":7}');
SELECT fails('{"Rows":[{"ID":"x"},7]}');
SELECT fails('{"Rows":[null]}');
-- null for records, and a failure that the envelope tells of
SELECT fails('{"Rows":null}');
SELECT fails('{"Rows":null,"pagination":{"itemCount":2}}');
SELECT fails('{"Rows":null,"pagination":{"itemCount":0}}');
SELECT fails(convert_to('{"Status":"ERROR","Message":"boom\u0027s \ud83d","Rows":[]}', 'UTF8'));
SELECT fails('{"Rows":[],"message":"","STATUS":"Error"}');
SELECT fails('{"Status":"ERRORS","Message":"boom","Rows":[]}');
-- null in a record's array is no row
SELECT * FROM reads_lines('{^ID:text,V:text}', '{"Rows":[{"ID":"a","Lines":[null,{"V":"1"},null]},{"ID":"b","Lines":[null]},{"ID":"c","Lines":[ null , {"V":"2"}]}]}');
SELECT r FROM reader_read(NULL, NULL, '{V:text}', '[null,{"V":"1"},null]');
SELECT r FROM reader_read('Rows', 'Lines', '{V:text}', '{"Rows":[{"Lines":[null,1]}]}');
SELECT fails('{"Rows":[[{"ID":"x"}]]}');
SELECT fails('{"Rows":[{"ID":"x"}],"Rows":[]}');
SELECT fails('{"Rows":[]} {}');
SELECT fails('[{}]');
SELECT fails('[]');
SELECT reader_info(NULL, NULL, '7');
SELECT reader_info(NULL, NULL, '{} {}');
SELECT fails('{"Rows":[{},]}');
SELECT fails('{"Rows":[,{}]}');
SELECT fails('{"Rows":[{} {}]}');
SELECT fails('{"Rows":[]"x":1}');
