#include "gateway/rest/router.hpp"
#include "messages/bus/stored.hpp"

namespace outband::rest {

namespace {

void one(const call_ptr& c) {
  auto id = parse_uuid(c->params.at(0));
  if (!id)
    return c->refuse(fail(problem::not_found, "There is no such request.", "id"));
  c->with().store->get_command(c->tenant, *id, [c](result<command_row> row) {
    if (!row)
      return c->refuse(row.error());
    json::object o{{"id", to_string(row->id)},
                   {"device", to_string(row->ref.device)},
                   {"act", row->act},
                   {"status", to_string(row->status)},
                   {"final", is_final(row->status)},
                   {"dispatched", row->dispatched},
                   {"by", row->by},
                   {"created", iso_time(row->created)},
                   {"deadline", iso_time(row->deadline)}};
    if (!row->outcome.empty()) {
      if (auto outcome = bus::unpack_response(row->outcome)) {
        o.push_back({"text", outcome->text});
        if (outcome->rev)
          o.push_back({"desiredRevision", outcome->rev});
        if (outcome->return_value) {
          o.push_back({"returnValue", *outcome->return_value});
          o.push_back({"returnValueStr", pt_status_name(*outcome->return_value)});
        }
        if (outcome->why) {
          auto words = explain(outcome->why->what);
          o.push_back({"code", words.code});
          o.push_back({"next", words.next});
          o.push_back({"retry", words.retry});
        }
      }
    }
    c->answer(200, std::move(o));
  });
}

} // namespace

void add_request_routes(router& r) {
  r.add("GET /api/v1/requests/{id}", dialect::mps, one);
}

} // namespace outband::rest
