-- The ledger of a player, newest first; before is where the last page ended.
create function public.player_ledger(p_player_id uuid, p_before timestamptz, p_limit integer)
returns table (id bigint, points integer, reason text, created_at timestamptz)
language sql stable
as $$
  select l.id, l.points, l.reason, l.created_at
  from public.loyalty_ledger l
  where l.player_id = p_player_id and l.created_at < p_before
  order by l.created_at desc
  limit p_limit
$$;

-- Closes a slip and books its points, once.
create function public.close_slip(p_slip_id uuid, p_average_bet_cents bigint, p_closed_by uuid)
returns integer
language plpgsql
as $$
declare
  v_slip public.rating_slips%rowtype;
  v_player_id uuid;
  v_points integer;
begin
  update public.rating_slips
  set status = 'closed', average_bet_cents = p_average_bet_cents, closed_by = p_closed_by,
      closed_at = now(), updated_at = now()
  where id = p_slip_id and closed_at is null
  returning * into v_slip;
  if not found then
    raise exception 'slip % is not open', p_slip_id using errcode = 'no_data_found';
  end if;

  select v.player_id into v_player_id
  from public.visits v
  where v.casino_id = v_slip.casino_id and v.id = v_slip.visit_id;

  v_points := v_slip.average_bet_cents / 100;
  insert into public.loyalty_ledger (casino_id, player_id, slip_id, points, reason, idempotency_key)
  values (v_slip.casino_id, v_player_id, v_slip.id, v_points, 'rating slip', 'slip:' || v_slip.id)
  on conflict (casino_id, idempotency_key) do nothing;
  return v_points;
end
$$;

grant execute on function public.player_ledger(uuid, timestamptz, integer) to authenticated;
grant execute on function public.close_slip(uuid, bigint, uuid) to authenticated;
