-- Every table of the database that is not part of an extension: its full name, schema and name, the columns of its
-- primary key, and its columns with a collation.
SELECT c.oid::pg_catalog.regclass::pg_catalog.text,
       n.nspname,
       c.relname,
       coalesce((SELECT pg_catalog.array_agg(a.attname ORDER BY k.place)
                 FROM pg_catalog.pg_index i,
                      pg_catalog.unnest(i.indkey) WITH ORDINALITY k (number, place),
                      pg_catalog.pg_attribute a
                 WHERE i.indrelid = c.oid AND i.indisprimary AND a.attrelid = c.oid AND a.attnum = k.number), '{}'),
       coalesce((SELECT pg_catalog.array_agg(a.attname)
                 FROM pg_catalog.pg_attribute a
                 WHERE a.attrelid = c.oid AND a.attnum > 0 AND a.attcollation <> 0), '{}')
FROM pg_catalog.pg_class c
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence <> 't'
      AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                      WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND e.objid = c.oid
                            AND e.deptype = 'e')
ORDER BY 1
