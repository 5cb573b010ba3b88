-- Who asks, and what their scopes reach. Policies ask these functions once per statement.
--
-- The application sets mapgrid.account (a number), mapgrid.viewer (the administrator who looks with that account's eyes)
-- and mapgrid.today for the length of a transaction. Without an account nothing is reached. The functions run as their
-- owner, since the asker may not read other people's scopes; pg_temp comes last in their search path, so that no
-- temporary table can stand in for ours.

CREATE FUNCTION mapgrid_account() RETURNS integer LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT nullif(current_setting('mapgrid.account', true), '')::integer $$;

CREATE FUNCTION mapgrid_viewer() RETURNS integer LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT nullif(current_setting('mapgrid.viewer', true), '')::integer $$;

CREATE FUNCTION mapgrid_today() RETURNS date LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT coalesce(nullif(current_setting('mapgrid.today', true), '')::date, (now() AT TIME ZONE 'Asia/Shanghai')::date) $$;

-- Areas and grids on which the asker has one of some permissions.
CREATE FUNCTION mapgrid_scopes(permissions text[]) RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = :schema, pg_temp AS $$
    SELECT coalesce(array_agg(DISTINCT s.area_code::text), '{}')
    FROM account_scope s
    JOIN account a ON a.id = s.account_id
    JOIN role_permission r ON r.role = s.role
    WHERE s.account_id = mapgrid_account()
      AND a.disabled_at IS NULL
      AND r.permission = ANY (permissions)
      AND s.starts_on <= mapgrid_today() AND (s.ends_on IS NULL OR s.ends_on > mapgrid_today())
      AND (mapgrid_viewer() IS NULL OR NOT r.is_change)
$$;

-- The same, areas alone: a grid's code is the beginning of foreign household codes.
CREATE FUNCTION mapgrid_areas(permissions text[]) RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = :schema, pg_temp AS $$
    SELECT coalesce(array_agg(code), '{}') FROM unnest(mapgrid_scopes(permissions)) code WHERE length(code) < 15
$$;

-- The same, with the villages of the grids instead of the grids.
CREATE FUNCTION mapgrid_around(permissions text[]) RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = :schema, pg_temp AS $$
    SELECT coalesce(array_agg(DISTINCT left(code, 12)), '{}') FROM unnest(mapgrid_scopes(permissions)) code
$$;

-- The areas above them, which a page names to say where one is.
CREATE FUNCTION mapgrid_chain(permissions text[]) RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = :schema, pg_temp AS $$
    SELECT coalesce(array_agg(DISTINCT left(code, digits)), '{}')
    FROM unnest(mapgrid_scopes(permissions)) code, unnest(ARRAY[6, 9, 12]) digits
    WHERE length(code) > digits
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
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = :schema, pg_temp AS $$
    SELECT cardinality(mapgrid_areas('{manage_people}')) > 0
       AND NOT EXISTS (
        SELECT FROM account_scope s
        WHERE s.account_id = account
          AND (s.ends_on IS NULL OR s.ends_on > mapgrid_today())
          AND NOT s.area_code::text ^@ ANY (mapgrid_areas('{manage_people}')))
$$;

-- Sums that leaders may see who may not see households. A view reads as its owner; its own condition is the scope, for
-- the application's role.
CREATE VIEW village_tally AS
    SELECT h.village_code, h.tier, sum(h.weight)::integer AS households
    FROM household h
    WHERE current_user <> :web OR h.village_code::text ^@ ANY ((SELECT mapgrid_areas('{see_figures}'))::text[])
    GROUP BY h.village_code, h.tier;

CREATE VIEW village_people AS
    SELECT h.village_code, count(*)::integer AS people
    FROM household h
    JOIN person p ON p.household_code = h.code
    WHERE current_user <> :web OR h.village_code::text ^@ ANY ((SELECT mapgrid_areas('{see_figures}'))::text[])
    GROUP BY h.village_code;

CREATE VIEW grid_tally AS
    SELECT a.plan_id, a.grid_code, h.tier, sum(h.weight)::integer AS households
    FROM assignment a
    JOIN household h ON h.code = a.household_code
    WHERE current_user <> :web OR a.grid_code::text ^@ ANY ((SELECT mapgrid_scopes('{see_figures}'))::text[])
    GROUP BY a.plan_id, a.grid_code, h.tier;

CREATE VIEW grid_people AS
    SELECT a.plan_id, a.grid_code, count(*)::integer AS people
    FROM assignment a
    JOIN person p ON p.household_code = a.household_code
    WHERE current_user <> :web OR a.grid_code::text ^@ ANY ((SELECT mapgrid_scopes('{see_figures}'))::text[])
    GROUP BY a.plan_id, a.grid_code;

CREATE VIEW group_tally AS
    SELECT a.plan_id, a.group_code, sum(h.weight)::integer AS households
    FROM assignment a
    JOIN household h ON h.code = a.household_code
    WHERE current_user <> :web OR a.grid_code::text ^@ ANY ((SELECT mapgrid_scopes('{see_figures}'))::text[])
    GROUP BY a.plan_id, a.group_code;
