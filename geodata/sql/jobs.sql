-- What happens when a job is added, or its end is asked for. SRID: none. Index: none.
-- The functions run with their owner's rights: whoever may add a job needs none on the queue.
CREATE FUNCTION job_enqueue() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = :schema, pg_temp AS $$
BEGIN
    -- The lock of the queue: one job of a village at a time.
    NEW.queue_id := (procrastinate_defer_jobs_v1(ARRAY[
        ROW('jobs', 'run_job', 0, 'village ' || NEW.village_code, NULL, jsonb_build_object('job_id', NEW.id), NULL)
        ::procrastinate_job_to_defer_v1
    ]))[1];
    RETURN NEW;
END;
$$;

CREATE FUNCTION job_cancel() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = :schema, pg_temp AS $$
BEGIN
    PERFORM procrastinate_cancel_job_v1(NEW.queue_id, true, false);
    RETURN NEW;
END;
$$;

CREATE TRIGGER job_enqueue BEFORE INSERT ON job FOR EACH ROW EXECUTE FUNCTION job_enqueue();

CREATE TRIGGER job_cancel BEFORE UPDATE OF cancel_asked_at ON job FOR EACH ROW
    WHEN (OLD.cancel_asked_at IS NULL AND NEW.cancel_asked_at IS NOT NULL) EXECUTE FUNCTION job_cancel();
