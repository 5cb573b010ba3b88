-- The audit trail: numbered without gaps, chained by hash, only ever added to.

-- What an entry says, as text; both the trigger and the check make the hash of it.
CREATE FUNCTION mapgrid_entry_text(e audit_entry) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT concat_ws(E'\x1f', e.id, extract(epoch FROM e.at), coalesce(e.account_id::text, '-'),
        coalesce(e.viewer_id::text, '-'), coalesce(e.login, '-'), e.action, coalesce(e.subject, '-'),
        coalesce(e.area_code, '-'), e.is_success, coalesce(e.request_id, '-'), coalesce(e.address, '-'), e.detail)
$$;

CREATE FUNCTION mapgrid_chain_entry() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = :schema, pg_temp AS $$
DECLARE
    last record;
BEGIN
    PERFORM pg_advisory_xact_lock(5030477210942);
    SELECT id, hash INTO last FROM audit_entry ORDER BY id DESC LIMIT 1;
    IF last IS NULL THEN
        SELECT last_id AS id, a.hash INTO last FROM audit_anchor a;
    END IF;
    NEW.id := coalesce(last.id, 0) + 1;
    NEW.at := coalesce(NEW.at, clock_timestamp());
    NEW.previous_hash := coalesce(last.hash, '\x'::bytea);
    NEW.hash := sha256(NEW.previous_hash || convert_to(mapgrid_entry_text(NEW), 'UTF8'));
    RETURN NEW;
END $$;

CREATE TRIGGER chain_entry BEFORE INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION mapgrid_chain_entry();

-- Entries leave only when their time is over: at least 184 days, and only for the owner who asks for it by name.
CREATE FUNCTION mapgrid_keep_entry() RETURNS trigger LANGUAGE plpgsql SET search_path = :schema, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('mapgrid.prunes_audit', true) = 'on' AND OLD.at < now() - interval '184 days'
    THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the audit trail is only ever added to' USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER keep_entry BEFORE UPDATE OR DELETE ON audit_entry FOR EACH ROW EXECUTE FUNCTION mapgrid_keep_entry();
CREATE TRIGGER keep_entries BEFORE TRUNCATE ON audit_entry FOR EACH STATEMENT EXECUTE FUNCTION mapgrid_keep_entry();

-- The first entries that do not fit: changed, missing before them, or not chained. None means the trail is whole.
CREATE FUNCTION mapgrid_audit_breaks() RETURNS TABLE (id bigint, fault text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = :schema, pg_temp AS $$
    WITH chained AS (
        SELECT e.id, e.hash, e.previous_hash,
               sha256(e.previous_hash || convert_to(mapgrid_entry_text(e), 'UTF8')) AS expected,
               lag(e.id) OVER w AS before_id, lag(e.hash) OVER w AS before_hash
        FROM audit_entry e WINDOW w AS (ORDER BY e.id)
    ), anchored AS (
        SELECT c.id, c.hash, c.previous_hash, c.expected,
               coalesce(c.before_id, (SELECT last_id FROM audit_anchor), 0) AS before_id,
               coalesce(c.before_hash, (SELECT a.hash FROM audit_anchor a), '\x'::bytea) AS before_hash
        FROM chained c
    )
    SELECT a.id, CASE WHEN a.hash <> a.expected THEN 'changed'
                      WHEN a.id <> a.before_id + 1 THEN 'missing before it'
                      ELSE 'not chained' END
    FROM anchored a
    WHERE a.hash <> a.expected OR a.id <> a.before_id + 1 OR a.previous_hash <> a.before_hash
    ORDER BY a.id
    LIMIT 20
$$;

-- The last entry, or where the trail began when it has none.
CREATE FUNCTION mapgrid_audit_head() RETURNS TABLE (id bigint, hash bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = :schema, pg_temp AS $$
    SELECT e.id, e.hash FROM audit_entry e
    UNION ALL
    SELECT a.last_id, a.hash FROM audit_anchor a
    ORDER BY id DESC
    LIMIT 1
$$;
