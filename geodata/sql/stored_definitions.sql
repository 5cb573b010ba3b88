-- The definition of everything in the database that is not part of an extension: kind, name, definition.
-- A grantee that owns what is granted is written as "owner": it has another name on another server.
-- Names are written out in full only without a search path.
WITH relation AS (
    SELECT c.oid, c.oid::pg_catalog.regclass::pg_catalog.text AS name, c.relkind, c.relacl, c.relowner, c.relrowsecurity,
           c.relforcerowsecurity
    FROM pg_catalog.pg_class c
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND c.relpersistence <> 't'
          AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
          AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                          WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND e.objid = c.oid
                                AND e.deptype = 'e')
), function AS (
    SELECT p.oid, p.oid::pg_catalog.regprocedure::pg_catalog.text AS name, p.proacl, p.proowner, p.prokind, p.proleakproof,
           EXISTS (SELECT FROM pg_catalog.pg_depend e
                   WHERE e.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND e.objid = p.oid
                         AND e.deptype = 'e') AS is_of_extension
    FROM pg_catalog.pg_proc p
         JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
), held AS (
    SELECT name AS subject, relowner AS owner,
           coalesce(relacl, pg_catalog.acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner)) AS acl
    FROM relation
    UNION ALL
    SELECT r.name || '.' || a.attname, r.relowner, a.attacl
    FROM relation r JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attacl IS NOT NULL
    UNION ALL
    SELECT name, proowner, coalesce(proacl, pg_catalog.acldefault('f', proowner)) FROM function WHERE NOT is_of_extension
    UNION ALL
    SELECT 'schema ' || nspname, nspowner, coalesce(nspacl, pg_catalog.acldefault('n', nspowner))
    FROM pg_catalog.pg_namespace WHERE nspname NOT LIKE 'pg\_%'
)
SELECT 'extensions', extname::pg_catalog.text, extversion FROM pg_catalog.pg_extension
UNION ALL
SELECT 'columns', r.name || '.' || a.attname,
       pg_catalog.concat_ws(' ', pg_catalog.format_type(a.atttypid, a.atttypmod),
                            (SELECT 'COLLATE ' || o.collname FROM pg_catalog.pg_collation o
                             WHERE o.oid = a.attcollation),
                            CASE WHEN a.attnotnull THEN 'NOT NULL' END, nullif(a.attidentity, ''),
                            nullif(a.attgenerated, ''), pg_catalog.pg_get_expr(d.adbin, d.adrelid))
FROM relation r
     JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
     LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum
WHERE r.relkind <> 'S'
UNION ALL
SELECT 'constraints', r.name || '.' || k.conname, pg_catalog.pg_get_constraintdef(k.oid)
FROM relation r JOIN pg_catalog.pg_constraint k ON k.conrelid = r.oid
UNION ALL
SELECT 'indexes', i.indexrelid::pg_catalog.regclass::pg_catalog.text, pg_catalog.pg_get_indexdef(i.indexrelid)
FROM relation r JOIN pg_catalog.pg_index i ON i.indrelid = r.oid AND i.indisvalid
UNION ALL
SELECT 'views', name, pg_catalog.pg_get_viewdef(oid) FROM relation WHERE relkind IN ('v', 'm')
UNION ALL
SELECT 'triggers', r.name || '.' || t.tgname, t.tgenabled::pg_catalog.text || ' ' || pg_catalog.pg_get_triggerdef(t.oid)
FROM relation r JOIN pg_catalog.pg_trigger t ON t.tgrelid = r.oid AND NOT t.tgisinternal
UNION ALL
SELECT 'policies',
       pg_catalog.quote_ident(schemaname) || '.' || pg_catalog.quote_ident(tablename) || '.' || policyname,
       pg_catalog.concat_ws(' ', permissive, cmd, roles::pg_catalog.text, 'USING', qual, 'WITH CHECK', with_check)
FROM pg_catalog.pg_policies
UNION ALL
SELECT 'row security', name, pg_catalog.concat_ws(' ', relrowsecurity, relforcerowsecurity)
FROM relation WHERE relkind IN ('r', 'p')
UNION ALL
SELECT 'functions', name, pg_catalog.pg_get_functiondef(oid)
FROM function WHERE NOT is_of_extension AND prokind IN ('f', 'p')
UNION ALL
SELECT 'leakproof functions', name, 'leakproof' FROM function WHERE is_of_extension AND proleakproof
UNION ALL
SELECT 'grants',
       h.subject || ' ' || CASE g.grantee
           WHEN 0 THEN 'everybody'
           WHEN h.owner THEN 'owner'
           ELSE pg_catalog.pg_get_userbyid(g.grantee) END,
       pg_catalog.string_agg(DISTINCT g.privilege_type, ',' ORDER BY g.privilege_type)
FROM held h, pg_catalog.aclexplode(h.acl) g
GROUP BY 1, 2
ORDER BY 1, 2
