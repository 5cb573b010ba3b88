-- Who asks, and what their scopes reach.
--
-- A transaction begins with mapgrid_enter: it reads the account's scopes as they are now and keeps what they reach in
-- settings of that transaction, mapgrid.<kind>_<permission>, each an array of codes:
--
--     scopes   areas and grids         areas    without the grids: a grid's code begins foreign household codes
--     around   villages for grids      chain    the areas above, which a page names to say where one is
--
-- Policies read the settings, which costs next to nothing; nobody entered, nothing is reached. The functions run as
-- their owner, since the asker may not read other people's scopes; pg_temp comes last in their search path, so that no
-- temporary table can stand in for ours.

CREATE FUNCTION mapgrid_account() RETURNS integer LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT nullif(current_setting('mapgrid.account', true), '')::integer $$;

CREATE FUNCTION mapgrid_viewer() RETURNS integer LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT nullif(current_setting('mapgrid.viewer', true), '')::integer $$;

CREATE FUNCTION mapgrid_today() RETURNS date LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT coalesce(nullif(current_setting('mapgrid.today', true), '')::date, (now() AT TIME ZONE 'Asia/Shanghai')::date) $$;

-- Begin to ask as an account, until the end of the transaction: viewer is the administrator who looks with its eyes.
CREATE FUNCTION mapgrid_enter(account integer, viewer integer, today date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = :schema, pg_temp AS $$
DECLARE
    held record;
BEGIN
    PERFORM set_config('mapgrid.account', coalesce(account::text, ''), true),
            set_config('mapgrid.viewer', coalesce(viewer::text, ''), true),
            set_config('mapgrid.today', coalesce(today::text, ''), true);
    FOR held IN
        SELECT r.permission, coalesce(array_agg(DISTINCT s.area_code::text) FILTER (WHERE s.area_code IS NOT NULL), '{}') AS codes
        FROM (SELECT DISTINCT permission FROM role_permission) r
        LEFT JOIN role_permission g ON g.permission = r.permission AND (viewer IS NULL OR NOT g.is_change)
        LEFT JOIN (SELECT h.role, h.area_code
                   FROM (SELECT s.account_id, s.role, s.area_code FROM account_scope s
                         WHERE s.starts_on <= mapgrid_today() AND (s.ends_on IS NULL OR s.ends_on > mapgrid_today())
                         UNION ALL
                         SELECT e.account_id, 'emergency', e.village_code FROM emergency_access e
                         WHERE viewer IS NULL AND e.ends_at > clock_timestamp() AND EXISTS (
                             SELECT FROM account_scope n
                             JOIN role_permission p ON p.role = n.role AND p.permission = 'open_in_emergency'
                             WHERE n.account_id = e.account_id AND e.village_code::text ^@ left(n.area_code::text, 9)
                               AND n.starts_on <= mapgrid_today()
                               AND (n.ends_on IS NULL OR n.ends_on > mapgrid_today()))) h
                   JOIN account a ON a.id = h.account_id AND a.disabled_at IS NULL
                   WHERE h.account_id = account) s ON s.role = g.role
        GROUP BY r.permission
    LOOP
        PERFORM set_config('mapgrid.scopes_' || held.permission, held.codes::text, true),
                set_config('mapgrid.areas_' || held.permission,
                    ARRAY(SELECT code FROM unnest(held.codes) code WHERE length(code) < 15)::text, true),
                set_config('mapgrid.around_' || held.permission,
                    ARRAY(SELECT DISTINCT left(code, 12) FROM unnest(held.codes) code)::text, true),
                set_config('mapgrid.chain_' || held.permission,
                    ARRAY(SELECT DISTINCT left(code, digits) FROM unnest(held.codes) code, unnest(ARRAY[6, 9, 12]) digits
                          WHERE length(code) > digits)::text, true);
    END LOOP;
END $$;

-- Areas and grids on which the asker has one of some permissions.
CREATE FUNCTION mapgrid_scopes(permissions text[]) RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(DISTINCT code), '{}')
    FROM unnest(permissions) p, unnest(nullif(current_setting('mapgrid.scopes_' || p, true), '')::text[]) code
$$;

-- The households that stand in the grids of the scopes, by the plan in force.
CREATE FUNCTION mapgrid_households(permissions text[]) RETURNS SETOF text
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = :schema, pg_temp AS $$
    SELECT a.household_code::text
    FROM unnest(mapgrid_scopes(permissions)) AS s (code)
    JOIN plan p ON p.village_code = left(s.code, 12)
     AND p.state IN ('published', 'superseded')
     AND p.starts_on <= mapgrid_today() AND (p.ends_on IS NULL OR p.ends_on > mapgrid_today())
    JOIN assignment a ON a.plan_id = p.id AND a.grid_code = s.code
    WHERE length(s.code) = 15
$$;

-- The outlines of those grids.
CREATE FUNCTION mapgrid_outlines(permissions text[]) RETURNS SETOF geometry
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = :schema, pg_temp AS $$
    SELECT g.outline
    FROM unnest(mapgrid_scopes(permissions)) AS s (code)
    JOIN plan p ON p.village_code = left(s.code, 12)
     AND p.state IN ('published', 'superseded')
     AND p.starts_on <= mapgrid_today() AND (p.ends_on IS NULL OR p.ends_on > mapgrid_today())
    JOIN grid g ON g.plan_id = p.id AND g.code = s.code
    WHERE length(s.code) = 15
$$;

-- Whether the asker manages an account: every open scope of it lies in the asker's areas, so that nobody can take over
-- the account of somebody who reaches farther. One that has no scope yet is anybody's who manages people.
CREATE FUNCTION mapgrid_manages(account integer) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = :schema, pg_temp AS $$
DECLARE
    areas text[] := coalesce(nullif(current_setting('mapgrid.areas_manage_people', true), ''), '{}');
BEGIN
    RETURN cardinality(areas) > 0 AND NOT EXISTS (
        SELECT FROM account_scope s
        WHERE s.account_id = account
          AND (s.ends_on IS NULL OR s.ends_on > mapgrid_today())
          AND NOT s.area_code::text ^@ ANY (areas));
END $$;

CREATE FUNCTION mapgrid_is_open(village text) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = :schema, pg_temp AS $$
    SELECT EXISTS (SELECT FROM emergency_access
                   WHERE account_id = mapgrid_account() AND village_code = village AND ends_at > clock_timestamp())
$$;

-- Let the asker into a village of their town (of their district, who leads one) for three hours: it is found by its code
-- or its name, and only where one village alone fits that is not theirs. No row is returned where none does; one that is
-- open already stays as it is.
CREATE FUNCTION mapgrid_open_in_emergency(words text, reason text) RETURNS TABLE (village_code text, ends_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = :schema, pg_temp AS $$
#variable_conflict use_column
DECLARE
    towns text[] := ARRAY(SELECT left(code, 9) FROM unnest(mapgrid_scopes(ARRAY['open_in_emergency'])) code);
    fit record;
BEGIN
    IF mapgrid_account() IS NULL OR mapgrid_viewer() IS NOT NULL OR length(btrim(reason)) < 10 THEN
        RETURN;
    END IF;
    SELECT min(code) AS code, count(*) AS n INTO fit FROM area
    WHERE level = 'village' AND code::text ^@ ANY (towns) AND (code = words OR name = words)
      AND (mapgrid_is_open(code) OR NOT code::text ^@ ANY (
          coalesce(nullif(current_setting('mapgrid.areas_see_people', true), ''), '{}')::text[]));
    IF fit.n <> 1 THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT e.village_code::text, e.ends_at FROM emergency_access e
    WHERE e.account_id = mapgrid_account() AND e.village_code = fit.code AND e.ends_at > clock_timestamp()
    LIMIT 1;
    IF FOUND THEN
        RETURN;
    END IF;
    RETURN QUERY
    INSERT INTO emergency_access (account_id, village_code, reason, began_at, ends_at)
    VALUES (mapgrid_account(), fit.code, btrim(reason), now(), now() + interval '3 hours')
    RETURNING village_code::text, ends_at;
END $$;

-- What somebody let themselves into ends when their account is disabled, or gets another password or second factor.
CREATE FUNCTION mapgrid_end_emergencies_of() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = :schema, pg_temp AS $$
BEGIN
    UPDATE emergency_access SET ends_at = greatest(clock_timestamp(), began_at)
    WHERE account_id = NEW.id AND ends_at > clock_timestamp();
    RETURN NULL;
END $$;

CREATE TRIGGER emergencies AFTER UPDATE OF disabled_at, password_hash, totp_confirmed_at ON account
FOR EACH ROW EXECUTE FUNCTION mapgrid_end_emergencies_of();

-- End what the asker let themselves into, and say which villages those were.
CREATE FUNCTION mapgrid_end_emergencies() RETURNS SETOF text
LANGUAGE sql SECURITY DEFINER SET search_path = :schema, pg_temp AS $$
    UPDATE emergency_access SET ends_at = greatest(clock_timestamp(), began_at)
    WHERE account_id = mapgrid_account() AND mapgrid_viewer() IS NULL AND ends_at > clock_timestamp()
    RETURNING village_code::text
$$;

-- Who let themselves into villages of an area in the last seven days: for those who oversee the whole village.
CREATE FUNCTION mapgrid_emergencies_in(area text)
RETURNS TABLE (full_name text, village_code text, reason text, began_at timestamptz, ends_at timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = :schema, pg_temp AS $$
    SELECT a.full_name, e.village_code::text, e.reason, e.began_at, e.ends_at
    FROM emergency_access e JOIN account a ON a.id = e.account_id
    WHERE e.village_code::text ^@ area AND e.began_at > now() - interval '7 days'
      AND e.village_code::text ^@ ANY (coalesce(nullif(current_setting('mapgrid.areas_handle_cases', true), ''), '{}')::text[])
    ORDER BY e.began_at DESC
    LIMIT 100
$$;

-- Sums that leaders may see who may not see households. A view reads as its owner; its own condition is the scope, for
-- the application's role.
CREATE VIEW village_tally AS
    SELECT h.village_code, h.tier, sum(h.weight)::integer AS households
    FROM household h
    WHERE current_user <> :web OR h.village_code::text ^@ ANY ((SELECT nullif(current_setting('mapgrid.areas_see_figures', true), ''))::text[])
    GROUP BY h.village_code, h.tier;

CREATE VIEW village_people AS
    SELECT h.village_code, count(*)::integer AS people
    FROM household h
    JOIN person p ON p.household_code = h.code
    WHERE current_user <> :web OR h.village_code::text ^@ ANY ((SELECT nullif(current_setting('mapgrid.areas_see_figures', true), ''))::text[])
    GROUP BY h.village_code;

CREATE VIEW grid_tally AS
    SELECT a.plan_id, a.grid_code, h.tier, sum(h.weight)::integer AS households
    FROM assignment a
    JOIN household h ON h.code = a.household_code
    WHERE current_user <> :web OR a.grid_code::text ^@ ANY ((SELECT nullif(current_setting('mapgrid.scopes_see_figures', true), ''))::text[])
    GROUP BY a.plan_id, a.grid_code, h.tier;

CREATE VIEW grid_people AS
    SELECT a.plan_id, a.grid_code, count(*)::integer AS people
    FROM assignment a
    JOIN person p ON p.household_code = a.household_code
    WHERE current_user <> :web OR a.grid_code::text ^@ ANY ((SELECT nullif(current_setting('mapgrid.scopes_see_figures', true), ''))::text[])
    GROUP BY a.plan_id, a.grid_code;

CREATE VIEW group_tally AS
    SELECT a.plan_id, a.group_code, sum(h.weight)::integer AS households
    FROM assignment a
    JOIN household h ON h.code = a.household_code
    WHERE current_user <> :web OR a.grid_code::text ^@ ANY ((SELECT nullif(current_setting('mapgrid.scopes_see_figures', true), ''))::text[])
    GROUP BY a.plan_id, a.group_code;
