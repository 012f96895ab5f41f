#include "tools/amtsim/fleet.hpp"

#include <boost/asio/post.hpp>

#include <stdexcept>
#include <utility>

namespace outband::amtsim {

namespace asio = boost::asio;

fleet::fleet(asio::io_context& main, const options& how, std::vector<identity> who,
             const asio::ip::tcp::endpoint& server)
    : main_(main),
      how_(how), server_{server,
                         std::make_shared<const tls_context>(how.root_ca, how.common_name, how.tls),
                         std::make_shared<tls_contexts>(how.tls)} {
  for (std::size_t i = 0; i < how.threads; ++i)
    shards_.push_back(std::make_unique<shard>());
  surroundings& around = *this;
  for (std::size_t i = 0; i < who.size(); ++i) {
    auto& home = *shards_[i % shards_.size()];
    const auto guid = who[i].guid;
    home.machines.push_back(std::make_unique<machine>(
        home.io, server_, std::move(who[i]), &how.shared, seed_of(how.machines, i), around));
    auto* m = home.machines.back().get();
    if (!how.starts_on)
      m->restore(power_state::off_soft, 0, {});
    if (!by_guid_.emplace(guid, m).second)
      throw std::runtime_error("two machines have the GUID " + to_string(guid));
    in_order_.push_back(m);
    listen(*m, i);
    boot_host(*m, i);
  }
}

void fleet::listen(machine& m, std::size_t index) {
  if (!how_.lan_port && !how_.lan_tls_port)
    return;
  lan_place where{how_.lan_address, how_.lan_port, how_.lan_tls_port};
  if (how_.lan_own_address && where.address.is_v4()) {
    where.address =
        asio::ip::make_address_v4(where.address.to_v4().to_uint() + static_cast<unsigned>(index));
  } else {
    for (auto* port : {&where.plain, &where.tls})
      if (*port && **port != 0) {
        if (**port + index > 65535)
          throw std::runtime_error("there are not enough LAN ports for all machines");
        *port = static_cast<std::uint16_t>(**port + index);
      }
  }
  m.listen(where);
}

void fleet::boot_host(machine& m, std::size_t index) {
  host_place where;
  if (!how_.mei_dir.empty())
    where.mei_path = how_.mei_dir + "/" + to_string(m.who().guid) + ".mei";
  where.lms = {asio::ip::address_v4::loopback(), how_.lms_port, how_.lms_tls_port};
  for (auto* port : {&where.lms.plain, &where.lms.tls})
    if (*port && **port != 0) {
      if (**port + index > 65535)
        throw std::runtime_error("there are not enough LMS ports for all machines");
      *port = static_cast<std::uint16_t>(**port + index);
    }
  if (!where.mei_path.empty() || where.lms.plain || where.lms.tls)
    m.boot_host(where);
}

fleet::~fleet() {
  stop();
}

void fleet::restore(const device_id& guid, power_state power, std::uint64_t boots,
                    const flash& kept) {
  const auto found = by_guid_.find(guid);
  if (found != by_guid_.end())
    found->second->restore(power, boots, kept);
}

void fleet::start() {
  running_ = true;
  for (std::size_t i = 0; i < in_order_.size(); ++i) {
    if (!how_.connects) {
      in_order_[i]->hold();
      continue;
    }
    const auto after =
        how_.connect_rate > 0 ? static_cast<double>(i) * 1000.0 / how_.connect_rate : 0.0;
    in_order_[i]->start(sim_time{static_cast<sim_time::rep>(after)});
  }
  for (auto& s : shards_)
    s->thread = std::thread([&io = s->io] { io.run(); });
}

void fleet::stop() {
  if (!running_)
    return;
  running_ = false;
  for (auto& s : shards_)
    asio::post(s->io, [&s = *s] {
      for (auto& m : s.machines)
        m->stop();
      s.guard.reset();
    });
  for (auto& s : shards_)
    s->thread.join();
}

void fleet::happened(const machine_event& e) {
  asio::post(main_, [this, e] {
    if (handler_)
      handler_(e);
  });
}

void fleet::run(const device_id* guid, task what, std::function<void(std::string)> done) {
  if (guid != nullptr) {
    const auto found = by_guid_.find(*guid);
    if (found == by_guid_.end())
      return done("there is no machine " + to_string(*guid));
    auto* m = found->second;
    asio::post(m->executor(), [this, m, what = std::move(what), done = std::move(done)]() mutable {
      asio::post(main_, [answer = what(*m), done = std::move(done)] { done(answer); });
    });
    return;
  }
  struct gathering {
    std::size_t waits;
    std::string complaint;
    std::function<void(std::string)> done;
  };
  auto all = std::make_shared<gathering>(gathering{shards_.size(), {}, std::move(done)});
  for (auto& s : shards_)
    asio::post(s->io, [this, &s = *s, what, all] {
      std::string complaint;
      for (auto& m : s.machines) {
        auto said = what(*m);
        if (complaint.empty())
          complaint = std::move(said);
      }
      asio::post(main_, [all, complaint = std::move(complaint)] {
        if (all->complaint.empty())
          all->complaint = complaint;
        if (--all->waits == 0)
          all->done(all->complaint);
      });
    });
}

void fleet::reports(const device_id* guid, std::function<void(std::vector<machine_report>)> done) {
  // Filled on the machines' threads, each its own place, read on the main thread afterwards.
  auto out = std::make_shared<std::vector<machine_report>>();
  auto index = std::make_shared<std::unordered_map<const machine*, std::size_t>>();
  if (guid != nullptr) {
    out->resize(1);
    return run(
        guid,
        [out](machine& m) {
          out->front() = m.report();
          return std::string{};
        },
        [out, done = std::move(done)](const std::string& complaint) {
          done(complaint.empty() ? std::move(*out) : std::vector<machine_report>{});
        });
  }
  out->resize(in_order_.size());
  for (std::size_t i = 0; i < in_order_.size(); ++i)
    index->emplace(in_order_[i], i);
  run(
      nullptr,
      [out, index](machine& m) {
        (*out)[index->at(&m)] = m.report();
        return std::string{};
      },
      [out, done = std::move(done)](const std::string&) { done(std::move(*out)); });
}

std::vector<machine_report> fleet::reports_now() const {
  std::vector<machine_report> out;
  for (const auto* m : in_order_)
    out.push_back(m->report());
  return out;
}

} // namespace outband::amtsim
