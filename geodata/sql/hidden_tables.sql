-- Tables of which row-level policies may hide rows from the current user: neither may it pass them by, nor does a policy
-- let it see every row.
SELECT c.oid::pg_catalog.regclass::pg_catalog.text
FROM pg_catalog.pg_class c
     JOIN pg_catalog.pg_roles me ON me.rolname = current_user
WHERE c.relrowsecurity AND NOT me.rolsuper AND NOT me.rolbypassrls
      AND (c.relforcerowsecurity OR c.relowner <> me.oid)
      AND (EXISTS (SELECT FROM pg_catalog.pg_policy p WHERE p.polrelid = c.oid AND NOT p.polpermissive)
           OR NOT EXISTS (SELECT FROM pg_catalog.pg_policy p
                          WHERE p.polrelid = c.oid AND p.polcmd IN ('*', 'r')
                                AND p.polroles && ARRAY[0::pg_catalog.oid, me.oid]
                                AND pg_catalog.pg_get_expr(p.polqual, p.polrelid) = 'true'))
ORDER BY 1
